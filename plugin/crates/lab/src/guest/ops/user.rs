//! `user`: a local account and its groups, in the order in which the script works: the account first.

use serde::Deserialize;
use serde_json::Value;

use super::{Answered, Cx, Failure, Step, presence, read};
use crate::guest::cloudbase::good_password;
use crate::guest::windows::Windows;

/// The local groups of a stock server: SID and name.
const GROUPS: [(&str, &str); 20] = [
    ("S-1-5-32-544", "Administrators"),
    ("S-1-5-32-545", "Users"),
    ("S-1-5-32-546", "Guests"),
    ("S-1-5-32-547", "Power Users"),
    ("S-1-5-32-550", "Print Operators"),
    ("S-1-5-32-551", "Backup Operators"),
    ("S-1-5-32-552", "Replicator"),
    ("S-1-5-32-555", "Remote Desktop Users"),
    ("S-1-5-32-556", "Network Configuration Operators"),
    ("S-1-5-32-558", "Performance Monitor Users"),
    ("S-1-5-32-559", "Performance Log Users"),
    ("S-1-5-32-562", "Distributed COM Users"),
    ("S-1-5-32-568", "IIS_IUSRS"),
    ("S-1-5-32-569", "Cryptographic Operators"),
    ("S-1-5-32-573", "Event Log Readers"),
    ("S-1-5-32-574", "Certificate Service DCOM Access"),
    ("S-1-5-32-578", "Hyper-V Administrators"),
    ("S-1-5-32-579", "Access Control Assistance Operators"),
    ("S-1-5-32-580", "Remote Management Users"),
    ("S-1-5-32-581", "System Managed Accounts Group"),
];

/// The longest name of an account.
const LONGEST: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    account: String,
    password: Option<String>,
    full_name: Option<String>,
    description: Option<String>,
    groups: Vec<String>,
    #[expect(dead_code, reason = "nothing expires in the lab")]
    password_never_expires: bool,
    enabled: bool,
    state: String,
}

/// `user`.
pub fn user(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Wanted = read(input)?;
    let disk = &mut cx.state.disk;
    let key = wanted.account.to_lowercase();
    if !presence(&wanted.state)? {
        let known = disk.users.get(&key);
        if known.is_some_and(|user| user.rid < 1000) {
            return Err(Failure::thrown("Cannot perform this operation on built-in accounts."));
        }
        let there = disk.users.remove(&key).is_some();
        return Step::either(there, wanted.account).done();
    }
    let mut changed = account(disk, &key, &wanted)?;
    for group in &wanted.groups {
        let sid = sid_of(disk, group)?;
        let user = disk.users.get_mut(&key);
        changed |= user.is_some_and(|user| user.groups.insert(sid));
    }
    Step {
        seconds: 1.0,
        ..Step::either(changed, wanted.account)
    }
    .done()
}

/// Makes the account or brings it up to date; whether anything changed. A given password counts as a change.
fn account(disk: &mut Windows, key: &str, wanted: &Wanted) -> Result<bool, Failure> {
    let new = !disk.users.contains_key(key);
    let password = wanted.password.as_deref();
    if new {
        makeable(disk, wanted)?;
    }
    if password.is_some_and(|password| !good_password(password, &wanted.account)) {
        let message = format!("The password of {} does not fulfil the guest's policy.", wanted.account);
        return Err(Failure::new("password_refused", message));
    }
    disk.put_user(&wanted.account, password, &[]);
    let Some(user) = disk.users.get_mut(key) else {
        return Ok(new);
    };
    let mut changed = new || password.is_some() || user.enabled != wanted.enabled;
    user.enabled = wanted.enabled;
    for (place, text) in [
        (&mut user.full_name, &wanted.full_name),
        (&mut user.description, &wanted.description),
    ] {
        if let Some(text) = text {
            changed |= place != text;
            place.clone_from(text);
        }
    }
    Ok(changed)
}

/// What `New-LocalUser` refuses.
fn makeable(disk: &Windows, wanted: &Wanted) -> Result<(), Failure> {
    let name = &wanted.account;
    if wanted.password.is_none() {
        let message = format!("The account {name} does not exist, and there is no password to make it with.");
        return Err(Failure::new("invalid_input", message));
    }
    if name.chars().count() > LONGEST {
        let message = format!(
            "Cannot validate argument on parameter 'Name'. The character length of the {name} argument is too long."
        );
        return Err(Failure::thrown(message));
    }
    let letters = "\"/\\[]:;|=,+*?<>@";
    let odd = name
        .chars()
        .any(|letter| letters.contains(letter) || letter.is_control());
    if odd || name.trim_matches(['.', ' ']).is_empty() || name.ends_with('.') {
        return Err(Failure::thrown(format!("The name {name} is invalid.")));
    }
    if name.eq_ignore_ascii_case(&disk.computer_name)
        || GROUPS.iter().any(|(_, group)| group.eq_ignore_ascii_case(name))
    {
        return Err(Failure::thrown(format!("The name {name} is already in use.")));
    }
    Ok(())
}

/// A local group, by SID or by the name that it has in this Windows' language.
fn sid_of(disk: &Windows, group: &str) -> Result<String, Failure> {
    let english = disk.profile.language.starts_with("en") || disk.profile.language.starts_with("ko");
    let found = GROUPS
        .iter()
        .find(|(sid, name)| *sid == group || (english && name.eq_ignore_ascii_case(group)));
    found
        .map(|(sid, _)| (*sid).to_owned())
        .ok_or_else(|| Failure::new("unknown_group", format!("There is no local group {group}.")))
}
