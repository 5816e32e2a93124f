# A Windows image by a spec, built by Packer: `packer validate examples/packer/nhn-web.pkr.hcl`.
# Credentials are OpenStack's usual variables (OS_AUTH_URL, OS_USERNAME, …); `reseal lab` prints some to try it with.
packer {
  required_plugins {
    reseal = {
      version = ">= 0.1.0"
      source  = "github.com/reseal/reseal"
    }
  }
}

variable "agent_token" {
  type      = string
  sensitive = true
  default   = ""
}

source "reseal" "web" {
  spec           = "${path.root}/../windows-2022-web.reseal.yaml"
  sensitive_vars = { agent_token = var.agent_token }
}

build {
  sources = ["source.reseal.web"]

  post-processor "manifest" {
    custom_data = {
      base  = build.SourceImageName
      build = build.ResealBuildID
    }
  }
}
