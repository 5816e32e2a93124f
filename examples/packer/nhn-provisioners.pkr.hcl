# The same image with work that stays in Packer: its provisioners run after the spec's software and before sysprep, through
# the build's own WinRM connection.
packer {
  required_plugins {
    reseal = {
      version = ">= 0.1.0"
      source  = "github.com/reseal/reseal"
    }
  }
}

source "reseal" "web" {
  spec = "${path.root}/../windows-2022-web.reseal.yaml"
  vars = { agent_server = "monitor.example.com" }
}

build {
  sources = ["source.reseal.web"]

  provisioner "powershell" {
    inline = ["Write-Output \"in $env:COMPUTERNAME for $env:PACKER_BUILD_NAME\""]
  }

  provisioner "file" {
    source      = "${path.root}/../payload/site"
    destination = "C:/Build"
  }

  provisioner "windows-restart" {}

  provisioner "windows-shell" {
    inline = ["echo %COMPUTERNAME% is back"]
  }

  error-cleanup-provisioner "powershell" {
    inline = ["Write-Output 'a provisioner has failed'"]
  }
}
