# Any other builder: the spec's software and its sysprep, through that builder's own connection. The machine stays up after
# sysprep; here QEMU's `shutdown_command` turns it off. Needs `packer init` for the QEMU plugin.
packer {
  required_plugins {
    qemu = {
      version = ">= 1.1.0"
      source  = "github.com/hashicorp/qemu"
    }
    reseal = {
      version = ">= 0.1.0"
      source  = "github.com/reseal/reseal"
    }
  }
}

variable "password" {
  type      = string
  sensitive = true
}

source "qemu" "win2022" {
  iso_url          = "windows-2022-base.qcow2"
  iso_checksum     = "none"
  disk_image       = true
  communicator     = "winrm"
  winrm_username   = "Administrator"
  winrm_password   = var.password
  shutdown_command = "shutdown /s /f /t 5"
}

build {
  sources = ["source.qemu.win2022"]

  provisioner "reseal-software" {
    software {
      windows_feature {
        names = ["Web-Server"]
      }
    }
    software {
      windows_update {
        categories = ["security"]
        rounds     = 3
      }
    }
  }

  provisioner "reseal-generalize" {
    unattend {
      base {
        is = "none"
      }
      time_zone = "UTC"
    }
    cloudbase_init {
      mode = "keep"
    }
    generalize {
      fix = ["appx", "bitlocker"]
    }
  }
}
