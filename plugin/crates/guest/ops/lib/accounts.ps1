# Accounts: passwords and memberships of local accounts.

function ConvertTo-Secure {
    param([string]$Text)
    $secure = New-Object Security.SecureString
    foreach ($character in $Text.ToCharArray()) { $secure.AppendChar($character) }
    $secure.MakeReadOnly()
    return $secure
}

function Add-Membership {
    # True when the account was not in the group. Listing the members first would fail where one of them no longer exists.
    param([Parameter(Mandatory)]$Group, [Parameter(Mandatory)]$User)
    try {
        Add-LocalGroupMember -SID $Group.SID -Member $User.SID
        return $true
    } catch {
        if ($_.FullyQualifiedErrorId -like 'MemberExists*' -or $_.Exception.GetType().Name -eq 'MemberExistsException') { return $false }
        throw
    }
}
