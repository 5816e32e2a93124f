<#
.SYNOPSIS
Downloads a file, goes on where an earlier download broke off, and checks it.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

# A script block cannot judge certificates, because it is asked on a thread of its own; so a pin needs this class.
$pinClass = @'
using System;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
public sealed class ResealPin
{
    private readonly string expected;
    public string Seen;
    public ResealPin(string expected) { this.expected = expected; }
    public bool Check(object sender, X509Certificate certificate, X509Chain chain, SslPolicyErrors errors)
    {
        using (SHA256 sha = SHA256.Create())
        {
            Seen = BitConverter.ToString(sha.ComputeHash(certificate.GetRawCertData())).Replace("-", "").ToLowerInvariant();
        }
        return string.Equals(Seen, expected, StringComparison.OrdinalIgnoreCase);
    }
    public RemoteCertificateValidationCallback Callback { get { return new RemoteCertificateValidationCallback(Check); } }
}
'@

function New-Pin {
    param([string]$Expected)
    if (-not $Expected) { return $null }
    if ($null -eq ('ResealPin' -as [type])) { Add-Type -TypeDefinition $pinClass -Language CSharp }
    return New-Object -TypeName ResealPin -ArgumentList $Expected
}

function New-Request {
    param([string]$Url, [long]$From, $Pin)
    $request = [Net.WebRequest]::Create($Url)
    if ($request -isnot [Net.HttpWebRequest]) { Stop-Operation -Kind 'invalid_input' -Message 'Only http and https can be fetched.' }
    $request.Proxy = $null
    $request.Timeout = 60000
    $request.ReadWriteTimeout = 60000
    $request.AllowAutoRedirect = $true
    $request.UserAgent = 'Reseal'
    $request.AutomaticDecompression = [Net.DecompressionMethods]::None
    if ($From -gt 0) { $request.AddRange($From) }
    if ($null -ne $Pin) { $request.ServerCertificateValidationCallback = $Pin.Callback }
    return $request
}

function Stop-Fetch {
    # Sorts what went wrong on the wire.
    param([Exception]$Exception, $Pin, $In)
    $web = $Exception
    while ($null -ne $web -and $web -isnot [Net.WebException]) { $web = $web.InnerException }
    if ($null -ne $Pin -and $null -ne $Pin.Seen -and $Pin.Seen -ne ([string]$In.pin).ToLowerInvariant()) {
        Stop-Operation -Kind 'wrong_certificate' -Message "The server showed the certificate $($Pin.Seen), not the pinned one."
    }
    if ($null -ne $web -and $null -ne $web.Response) {
        $status = [int]$web.Response.StatusCode
        Stop-Operation -Kind 'http_status' -Code $status -Message "The server answered $status."
    }
    $inner = $Exception
    while ($null -ne $inner.InnerException) { $inner = $inner.InnerException }
    Stop-Operation -Kind 'network' -Message "The download broke off: $($inner.Message)" -Hint 'Can the guest reach this address? The next try goes on where this one ended.'
}

function Get-Response {
    # A range that cannot be had is given up, once.
    param($In, [string]$Partial, $Pin)
    $from = if (Test-Path -LiteralPath $Partial) { (Get-Item -LiteralPath $Partial).Length } else { 0 }
    try {
        return (New-Request $In.url $from $Pin).GetResponse()
    } catch {
        $web = $_.Exception
        while ($null -ne $web -and $web -isnot [Net.WebException]) { $web = $web.InnerException }
        if ($from -eq 0 -or $null -eq $web -or $null -eq $web.Response -or [int]$web.Response.StatusCode -ne 416) { Stop-Fetch $_.Exception $Pin $In }
        Remove-Item -LiteralPath $Partial -Force
    }
    try { return (New-Request $In.url 0 $Pin).GetResponse() } catch { Stop-Fetch $_.Exception $Pin $In }
}

function Save-Response {
    # Answers @{ downloaded; resumed }.
    param($In, $Response, [string]$Partial, $Pin)
    $resumed = [int]$Response.StatusCode -eq 206
    $mode = if ($resumed) { [IO.FileMode]::Append } else { [IO.FileMode]::Create }
    $total = [long]0
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $file = New-Object IO.FileStream($Partial, $mode, [IO.FileAccess]::Write, [IO.FileShare]::Read)
    try {
        $stream = $Response.GetResponseStream()
        $buffer = New-Object byte[] 1048576
        while (($read = $stream.Read($buffer, 0, $buffer.Length)) -gt 0) {
            $file.Write($buffer, 0, $read)
            $total += $read
            if ($watch.Elapsed.TotalSeconds -gt [long]$In.timeout_seconds) { Stop-Operation -Kind 'timeout' -Message "The download did not end within $($In.timeout_seconds) seconds." }
        }
    } catch {
        if ($_.Exception.Data.Contains('reseal')) { throw }
        Stop-Fetch $_.Exception $Pin $In
    } finally {
        $file.Dispose()
        $Response.Dispose()
    }
    return @{ downloaded = $total; resumed = $resumed }
}

function Test-Wanted {
    param($In, [string]$Path)
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf) -or $null -eq $In.sha256) { return $false }
    return (Get-FileSha256 $Path) -eq ([string]$In.sha256).ToLowerInvariant()
}

function Complete-Download {
    param($In, [string]$Partial)
    $size = (Get-Item -LiteralPath $Partial).Length
    $hash = Get-FileSha256 $Partial
    $wrongSize = $null -ne $In.size -and [long]$In.size -ne $size
    if ($wrongSize -or ($null -ne $In.sha256 -and $hash -ne ([string]$In.sha256).ToLowerInvariant())) {
        Remove-Item -LiteralPath $Partial -Force
        Stop-Operation -Kind 'hash_mismatch' -Message "The download has $size bytes and the SHA-256 $hash; another file was expected." -Hint 'The file behind the address has changed, or something on the way answers in its place.'
    }
    Move-Item -LiteralPath $Partial -Destination $In.path -Force
    return [ordered]@{ path = $In.path; size = $size; sha256 = $hash; downloaded = [long]0; resumed = $false; already = $false }
}

function Invoke-Operation {
    param($In)
    if (Test-Wanted $In $In.path) {
        $size = (Get-Item -LiteralPath $In.path).Length
        Send-Result ([ordered]@{ path = $In.path; size = $size; sha256 = ([string]$In.sha256).ToLowerInvariant(); downloaded = 0; resumed = $false; already = $true })
        return
    }
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
    $partial = $In.path + '.partial'
    $null = New-Item -ItemType Directory -Path (Split-Path -Parent $In.path) -Force
    $pin = New-Pin ([string]$In.pin)
    $saved = Save-Response $In (Get-Response $In $partial $pin) $partial $pin
    $result = Complete-Download $In $partial
    $result.downloaded = $saved.downloaded
    $result.resumed = $saved.resumed
    Send-Result $result
}
