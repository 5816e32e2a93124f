//! What an error or exit code of Windows means, wherever it comes from.

use reseal_guest::codes;
use reseal_guest::exit_codes::{self, Table};
use reseal_guest::postmortem;
use serde_json::json;

use crate::console::Console;
use crate::exit::Exit;

/// The installers whose exit codes are known.
const INSTALLERS: [(Table, &str); 8] = [
    (Table::Msi, "Windows Installer"),
    (Table::Inno, "Inno Setup"),
    (Table::Nsis, "NSIS"),
    (Table::Burn, "WiX bundle"),
    (Table::InstallShield, "InstallShield"),
    (Table::Wusa, "wusa.exe"),
    (Table::Dism, "DISM"),
    (Table::Choco, "Chocolatey"),
];

/// Says all that is known about a code.
pub(super) fn explain(code: u32, console: &Console) -> Exit {
    let row = codes::find(code);
    let installers = installers(code);
    let causes: Vec<&str> = postmortem::causes()
        .filter(|cause| cause.has_code(code))
        .map(|cause| cause.class)
        .collect();
    let known = row.is_some() || !installers.is_empty();
    if console.is_json() {
        let installers: Vec<_> = installers
            .iter()
            .map(|(name, text, hint)| json!({ "installer": name, "meaning": text, "hint": hint }))
            .collect();
        console.document(
            "code",
            json!({
                "code": format!("0x{code:08x}"),
                "signed": code.cast_signed(),
                "name": row.map(|row| row.name),
                "meaning": row.map(|row| row.meaning),
                "part": codes::facility(code),
                "installers": installers,
                "causes": causes,
            }),
        );
    } else {
        console.line(&codes::sentence(code));
        console.line(&format!("  signed   {}", code.cast_signed()));
        if let Some(part) = codes::facility(code) {
            console.line(&format!("  part     {part}"));
        }
        for (name, text, hint) in &installers {
            let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            console.line(&format!("  as exit code of {name}: {text}{hint}"));
        }
        for cause in &causes {
            console.line(&format!("  in a log of sysprep or setup: `reseal explain {cause}`"));
        }
    }
    if known { Exit::Ok } else { Exit::Input }
}

/// What installers mean by it; 0 is not worth a word.
fn installers(code: u32) -> Vec<(&'static str, &'static str, Option<&'static str>)> {
    let meaning = |(table, name): &(Table, &'static str)| {
        let found = exit_codes::meaning(*table, code)?;
        Some((*name, found.text, found.hint))
    };
    INSTALLERS.iter().filter(|_| code != 0).filter_map(meaning).collect()
}
