# reseal:probe/1
param([string] $InputJson)
$null = $InputJson
Send-Result (Get-Identity)
