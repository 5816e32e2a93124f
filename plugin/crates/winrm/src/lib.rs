//! WS-Management shells, commands and transfers over NTLM or Basic.
