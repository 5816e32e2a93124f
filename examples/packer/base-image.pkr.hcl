# What a build would start from, for other parts of a template.
packer {
  required_plugins {
    reseal = {
      version = ">= 0.1.0"
      source  = "github.com/reseal/reseal"
    }
  }
}

data "reseal-image" "base" {
  spec = "${path.root}/../windows-2022-nhn.reseal.yaml"
}

source "null" "report" {
  communicator = "none"
}

build {
  sources = ["source.null.report"]

  provisioner "shell-local" {
    inline = ["echo '${data.reseal-image.base.name} ${data.reseal-image.base.id} of ${data.reseal-image.base.created_at}'"]
  }
}
