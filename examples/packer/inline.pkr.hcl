# No YAML at all: the sections of a spec as HCL. A mapping is a block; a list of mappings is a block that is repeated; a map of
# mixed values is written with jsonencode; a word that may stand for a mapping (`root_volume: none`) is its attribute `is`.
packer {
  required_plugins {
    reseal = {
      version = ">= 0.1.0"
      source  = "github.com/reseal/reseal"
    }
  }
}

variable "admin_password" {
  type      = string
  sensitive = true
  default   = "Change-Me-7!"
}

source "reseal" "inline" {
  # Known to the spec as $${admin_password}: it is never in a plan, a journal or a log.
  sensitive_vars = { admin_password = var.admin_password }

  cloud {
    provider = "nhn"
    region   = "KR1"
  }

  base {
    image {
      name   = "Windows 2022 STD*EN*"
      newest = true
    }
    flavor  = "m2.c2m4"
    network = "Default Network"
    root_volume {
      size = "60 GB"
    }
  }

  software {
    name = "IIS"
    windows_feature {
      names                    = ["Web-Server"]
      include_management_tools = true
    }
  }

  software {
    name = "A local administrator"
    user {
      account  = "imageadmin"
      password = "$${admin_password}"
      groups   = ["administrators"]
    }
  }

  software {
    registry {
      key    = "HKLM\\SOFTWARE\\Example"
      values = jsonencode({ Mode = { dword = 1 }, Owner = { string = "images@example.com" } })
    }
  }

  software {
    reboot {
      when = "pending"
    }
  }

  unattend {
    time_zone = "UTC"
    oobe {
      hide_eula_page  = true
      protect_your_pc = 3
    }
  }

  generalize {
    fix     = ["appx"]
    cleanup = ["temp", "event_logs"]
  }

  image {
    name       = "win2022-inline-${formatdate("YYYYMMDD", timestamp())}"
    properties = { os_distro = "windows", os_version = "2022" }
  }

  verify {
    boot = true
  }
}

build {
  sources = ["source.reseal.inline"]
}
