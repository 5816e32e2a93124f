<#
.SYNOPSIS
Searches, downloads and installs updates; one round of several.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

# Kinds by id, because their names are in the language of Windows.
$categoryIds = @{
    security      = '0fa1201d-4330-4fa8-8ae9-b877473b6441'
    critical      = 'e6cf1350-c01b-414d-a61f-263d14d133b4'
    definition    = 'e0789628-ce08-4437-be74-2495b842f43b'
    updates       = 'cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83'
    rollups       = '28bc880e-0592-4cbf-8f95-c79b17911d5f'
    service_packs = '68c5b0a3-d1a6-4553-ae49-01d3a7827828'
    feature_packs = 'b54e7d24-7add-428f-8b75-90a396fa584f'
    tools         = 'b4832bd8-e735-4761-8daf-37f882276dab'
    drivers       = 'ebfc1fc5-71a4-4f7b-9aca-3b9a503104a0'
}

function Stop-Update {
    param([Management.Automation.ErrorRecord]$Record, [string]$What)
    $code = Get-ErrorCode $Record.Exception
    Stop-Operation -Kind 'update_service' -Code ([Convert]::ToInt64($code.Substring(2), 16)) -HResult $code -Message "$What failed: $($Record.Exception.Message)"
}

function Find-Updates {
    param($Session, [string]$Server)
    $searcher = $Session.CreateUpdateSearcher()
    if ($Server -eq 'windows_update') { $searcher.ServerSelection = 2 }
    if ($Server -eq 'microsoft_update') {
        $searcher.ServerSelection = 3
        $searcher.ServiceID = '7971f918-a847-4430-9279-4a52d1efe18d'
    }
    try { return $searcher.Search('IsInstalled=0 and IsHidden=0') } catch { Stop-Update $_ 'The search' }
}

function Get-KbList {
    param($Update)
    return @(@($Update.KBArticleIDs) | ForEach-Object { 'KB' + [string]$_ })
}

function Test-Wanted {
    # Why an update is left out; empty when it is wanted.
    param($Update, $In)
    $kbs = @(Get-KbList $Update)
    if (@($kbs | Where-Object { @($In.exclude) -contains $_ }).Count -gt 0) { return 'excluded' }
    if (@($In.include).Count -gt 0) {
        if (@($kbs | Where-Object { @($In.include) -contains $_ }).Count -gt 0) { return '' }
        return 'not in the list'
    }
    if ($Update.InstallationBehavior.CanRequestUserInput) { return 'asks questions' }
    if (@($In.categories) -contains 'all') { return '' }
    $ids = @(@($In.categories) | ForEach-Object { $categoryIds[$_] })
    foreach ($category in @($Update.Categories)) { if ($ids -contains [string]$category.CategoryID) { return '' } }
    return 'another kind'
}

function Get-UpdateName {
    param($Update)
    $kbs = @(Get-KbList $Update)
    if ($kbs.Count -gt 0) { return $kbs[0] }
    return [string]$Update.Identity.UpdateID
}

function New-UpdateItem {
    param($Update, [string]$State, [long]$Code = 0, [bool]$Reboot = $false)
    return [ordered]@{ id = (Get-UpdateName $Update); title = [string]$Update.Title; state = $State; code = ('0x{0:X8}' -f (ConvertTo-Code $Code)); reboot_required = $Reboot }
}

function Receive-Update {
    # Downloads one update when it is not there yet.
    param($Session, $Single)
    $downloader = $Session.CreateUpdateDownloader()
    $downloader.Updates = $Single
    try { $answer = $downloader.Download() } catch { Stop-Update $_ 'The download' }
    Write-Log "Download: result $($answer.ResultCode)"
}

function Install-Update {
    # One update from download to result: an item.
    param($Session, $Update)
    $single = New-Object -ComObject Microsoft.Update.UpdateColl
    $null = $single.Add($Update)
    if (-not $Update.IsDownloaded) { Receive-Update $Session $single }
    if (-not $Update.IsDownloaded) { return New-UpdateItem $Update 'failed' 2149842978 }
    $installer = $Session.CreateUpdateInstaller()
    $installer.Updates = $single
    try { $answer = $installer.Install() } catch { Stop-Update $_ 'The installation' }
    $result = $answer.GetUpdateResult(0)
    $state = if (@(2, 3) -contains [int]$result.ResultCode) { 'installed' } else { 'failed' }
    if ((ConvertTo-Code $result.HResult) -eq 2149842967) { $state = 'not_applicable' }
    return New-UpdateItem $Update $state $result.HResult ([bool]$result.RebootRequired)
}

function Install-Updates {
    # The items of this round. One update after the other, so that the time can be looked at between them: a task that its
    # scheduler ends in the middle of an installation leaves a machine that nobody should make an image of.
    param($Session, $Collection, $Watch, [long]$Seconds)
    foreach ($update in @($Collection)) {
        if ($Watch.Elapsed.TotalSeconds -ge $Seconds) {
            Write-Log "No time is left for $(Get-UpdateName $update)."
            New-UpdateItem $update 'skipped' 2147943860
            continue
        }
        $item = Install-Update $Session $update
        Write-Log ('{0} {1} {2}' -f $item.id, $item.state, $item.code)
        $item
    }
}

function Select-Updates {
    param($Found, $In, [Collections.ArrayList]$Skipped)
    $chosen = New-Object -ComObject Microsoft.Update.UpdateColl
    foreach ($update in @($Found.Updates)) {
        $why = Test-Wanted $update $In
        if ($why) {
            $null = $Skipped.Add((New-UpdateItem $update 'skipped'))
            continue
        }
        if (-not $update.EulaAccepted) { $null = $update.AcceptEula() }
        Write-Log ('Wanted: {0} {1}' -f (Get-UpdateName $update), $update.Title)
        $null = $chosen.Add($update)
    }
    return , $chosen
}

function Send-UpdateResult {
    param($In, [object[]]$Items = @(), [object[]]$Skipped = @())
    $installed = @($Items | Where-Object { $_.state -eq 'installed' })
    $failed = @($Items | Where-Object { $_.state -eq 'failed' })
    $late = @($Items | Where-Object { $_.state -eq 'skipped' })
    $last = [int]$In.round -ge [int]$In.rounds
    if ($failed.Count -gt 0 -and $last) {
        # An update that was asked for and is not there is no good image, however many others are.
        $names = @($failed | ForEach-Object { $_.id }) -join ', '
        $hint = "leave out what cannot be installed (exclude: [$names]), or go on without it (on_failure: continue)"
        Stop-Operation -Kind 'updates_failed' -Message "$($failed.Count) of $($Items.Count) updates failed." -Items @($Items) -Logs @("$env:SystemRoot\Logs\CBS\CBS.log") -Hint $hint
    }
    if ($late.Count -gt 0 -and $last) {
        Stop-Operation -Kind 'timeout' -Message "$($late.Count) updates were not begun within $($In.timeout_seconds) seconds." -Items @($Items) -Hint 'Give the step a longer timeout, or more rounds.'
    }
    $result = New-StepResult -Changed ($installed.Count -gt 0) -Already ($Items.Count -eq 0)
    $result.items = @($Items) + @($Skipped)
    $result.reboot_required = (@($Items | Where-Object { $_.reboot_required }).Count -gt 0)
    # After an installed update others may become visible, so the round is repeated until one finds nothing.
    $result.more = ($Items.Count -gt 0 -and -not $last)
    $result.warnings = @($failed | ForEach-Object { '{0} failed with {1}' -f $_.id, $_.code })
    $result.detail = '{0} installed, {1} failed, {2} left out' -f $installed.Count, $failed.Count, ($Skipped.Count + $late.Count)
    Send-Result $result
}

function Invoke-Operation {
    param($In)
    $watch = [Diagnostics.Stopwatch]::StartNew()
    Write-Log "Round $($In.round) of $($In.rounds): searching."
    $session = New-Object -ComObject Microsoft.Update.Session
    $session.ClientApplicationID = 'Reseal'
    $skipped = New-Object Collections.ArrayList
    $chosen = Select-Updates (Find-Updates $session $In.server) $In $skipped
    $items = @(Install-Updates $session $chosen $watch ([long]$In.timeout_seconds))
    Send-UpdateResult $In $items @($skipped.ToArray())
}
