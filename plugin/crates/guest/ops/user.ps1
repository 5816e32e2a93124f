<#
.SYNOPSIS
Makes, changes or removes a local account.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-GroupOf {
    param([string]$Group)
    $found = if ($Group -match '^S-1-') { Get-LocalGroup -SID $Group -ErrorAction SilentlyContinue } else { Get-LocalGroup -Name $Group -ErrorAction SilentlyContinue }
    if ($null -eq $found) { Stop-Operation -Kind 'unknown_group' -Message "There is no local group $Group." }
    return $found
}

function Get-Options {
    param($In)
    $options = @{ PasswordNeverExpires = [bool]$In.password_never_expires }
    if ($null -ne $In.full_name) { $options['FullName'] = [string]$In.full_name }
    if ($null -ne $In.description) { $options['Description'] = [string]$In.description }
    if ($null -ne $In.password) { $options['Password'] = ConvertTo-Secure ([string]$In.password) }
    return $options
}

function Set-Account {
    # Makes the account or brings it up to date; true when something changed.
    param($In, $User)
    $options = Get-Options $In
    try {
        if ($null -eq $User) {
            if ($null -eq $In.password) { Stop-Operation -Kind 'invalid_input' -Message "The account $($In.account) does not exist, and there is no password to make it with." }
            $null = New-LocalUser -Name $In.account -AccountNeverExpires @options
            return $true
        }
        Set-LocalUser -Name $In.account -AccountNeverExpires @options
        # Whether the password is another cannot be read, so with one this counts as a change.
        return ($null -ne $In.password) -or ($null -ne $In.full_name -and $User.FullName -cne $In.full_name) -or ($null -ne $In.description -and $User.Description -cne $In.description)
    } catch {
        if ($_.Exception.GetType().Name -eq 'InvalidPasswordException') { Stop-Operation -Kind 'password_refused' -Message "The password of $($In.account) does not fulfil the guest's policy." }
        throw
    }
}

function Invoke-Operation {
    param($In)
    $user = Get-LocalUser -Name $In.account -ErrorAction SilentlyContinue
    if ($In.state -eq 'absent') {
        if ($null -ne $user) { Remove-LocalUser -Name $In.account }
        Send-Result (New-StepResult -Changed ($null -ne $user) -Already ($null -eq $user) -Detail "$($In.account) is not there")
        return
    }
    $changed = Set-Account $In $user
    $user = Get-LocalUser -Name $In.account
    if ($user.Enabled -ne [bool]$In.enabled) {
        if ($In.enabled) { Enable-LocalUser -Name $In.account } else { Disable-LocalUser -Name $In.account }
        $changed = $true
    }
    foreach ($group in @($In.groups)) { $changed = (Add-Membership (Get-GroupOf $group) $user) -or $changed }
    Send-Result (New-StepResult -Changed $changed -Already (-not $changed) -Detail "$($In.account) $($user.SID)")
}
