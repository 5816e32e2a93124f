# A source for each build of a spec's matrix; `packer build -only='reseal.ko*'` chooses.
packer {
  required_plugins {
    reseal = {
      version = ">= 0.1.0"
      source  = "github.com/reseal/reseal"
    }
  }
}

locals {
  spec = "${path.root}/../windows-matrix.reseal.yaml"
}

source "reseal" "en2019" {
  spec  = local.spec
  build = "2019-EN"
}

source "reseal" "en2022" {
  spec  = local.spec
  build = "2022-EN"
}

source "reseal" "ko2022" {
  spec  = local.spec
  build = "2022-KO"
}

build {
  sources = ["source.reseal.en2019", "source.reseal.en2022", "source.reseal.ko2022"]
}
