# Appx: packages that are installed for a user but not provisioned, so that sysprep refuses them.

function Get-AppxFacts {
    $blockers = New-Object Collections.ArrayList
    if (-not (Get-Command -Name Get-AppxPackage -ErrorAction SilentlyContinue)) {
        return [ordered]@{ available = $false; blockers = @() }
    }
    $families = @{}
    foreach ($package in @(Get-AppxProvisionedPackage -Online)) {
        $parts = [string]$package.PackageName -split '_'
        $families[($parts[0] + '_' + $parts[-1]).ToLowerInvariant()] = $true
    }
    foreach ($package in @(Get-AppxPackage -AllUsers)) {
        if ($package.IsFramework -or $package.IsResourcePackage -or $package.NonRemovable) { continue }
        if ([string]$package.SignatureKind -eq 'System') { continue }
        $users = @($package.PackageUserInformation | Where-Object { [string]$_.InstallState -like 'Installed*' })
        if ($users.Count -eq 0 -or $families.ContainsKey(([string]$package.PackageFamilyName).ToLowerInvariant())) { continue }
        $null = $blockers.Add([ordered]@{
                full_name = [string]$package.PackageFullName
                name      = [string]$package.Name
                version   = [string]$package.Version
                why       = 'not_provisioned'
                users     = @($users | ForEach-Object { [string]$_.UserSecurityId.Sid })
            })
    }
    return [ordered]@{ available = $true; blockers = @($blockers.ToArray()) }
}
