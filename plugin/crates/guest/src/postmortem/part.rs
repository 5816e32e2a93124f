//! The part of Windows, or of another program, that failed.

/// What failed, as the log names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// The file, e.g. `C:\Windows\System32\sppnp.dll`.
    pub module: Option<String>,
    /// The function, or the component whose action it was.
    pub function: Option<String>,
}

/// What files that take part in sysprep belong to.
const OWNERS: [(&str, &str); 36] = [
    ("appxsysprep.dll", "the clean-up of store apps"),
    ("bdesysprep.dll", "BitLocker"),
    ("capisp.dll", "the cryptographic services"),
    ("cmisysprep.dll", "component management (servicing)"),
    ("drmv2clt.dll", "Windows Media rights management"),
    ("dsccore.dll", "PowerShell Desired State Configuration"),
    ("fcsysprep.dll", "failover clustering"),
    ("fdwcn.dll", "Windows Connect Now"),
    ("iesysprep.dll", "Internet Explorer"),
    ("lpksetup.dll", "language packs"),
    ("mrtsysprep.dll", "the malicious software removal tool"),
    ("msdtcprx.dll", "the distributed transaction coordinator"),
    ("mssrch.dll", "Windows Search"),
    ("netprovfw.dll", "network provisioning"),
    ("netsetupapi.dll", "network setup"),
    ("ngcsvc.dll", "Windows Hello"),
    ("reagent.dll", "the recovery environment (WinRE)"),
    ("reseteng.dll", "reset this PC"),
    ("scesrv.dll", "the security configuration engine"),
    ("setupcl.exe", "the renewal of security ids"),
    ("shell32.dll", "the shell"),
    ("shsetup.dll", "the shell's setup"),
    ("slc.dll", "software licensing (rearm)"),
    ("spbcd.dll", "the boot configuration"),
    ("spnet.dll", "network adapters"),
    ("spntfs.dll", "the file system (NTFS)"),
    ("spopk.dll", "sysprep's own clean-up and checks"),
    ("sppnp.dll", "devices and drivers"),
    ("spwmp.dll", "Windows Media Player"),
    ("sysprepmce.dll", "Media Center"),
    ("tssysprep.dll", "Remote Desktop"),
    ("unattend.dll", "the answer file"),
    ("vmagentdisabler.dll", "the cloud's virtual machine agent"),
    ("wdscore.dll", "Setup's core"),
    ("wsclient.dll", "the licences of store apps"),
    ("wuaueng.dll", "Windows Update"),
];

impl Part {
    /// Takes the names from a line that tells a failure, where it has some.
    pub(super) fn of(text: &str) -> Option<Self> {
        called(text)
            .or_else(|| named(text, "Error in executing action for ").map(Self::component))
            .or_else(|| {
                let dll = text.split_once("oad DLL ").map(|(_, rest)| rest)?;
                Some(Self::file(dll.split(['[', ';', ',', ' ']).next()?))
            })
            .or_else(|| program(text))
    }

    /// Takes the name from a line that tells that a part begins.
    pub(super) fn begun(text: &str) -> Option<Self> {
        if let Some((_, rest)) = text.split_once("Executing method '") {
            let (function, rest) = rest.split_once('\'')?;
            let module = rest.split_once("from ").map(|(_, module)| module.trim().to_owned());
            return Some(Self {
                module,
                function: Some(function.to_owned()),
            });
        }
        let (_, rest) = text.split_once("Entering ")?;
        rest.split(' ')
            .next()
            .filter(|name| !name.is_empty())
            .map(Self::component)
    }

    /// The function that a line of a known source begins with: `PerformDiskOperation:Disk operation failed`.
    pub(super) fn speaking(source: &str, text: &str) -> Option<Self> {
        let word = text.split([' ', ';', ',']).next().unwrap_or_default();
        let mut pieces = word.split(':');
        let first = pieces.next().unwrap_or_default();
        let name = match (pieces.next(), pieces.next()) {
            (Some(""), Some(method)) if !method.is_empty() => Some(format!("{first}::{method}")),
            (Some(_), _) => Some(first.to_owned()),
            _ => None,
        };
        let function = name.filter(|name| {
            name.len() > 3
                && name
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || "_:".contains(letter))
        });
        let module = (!source.is_empty()).then(|| source.to_owned());
        (module.is_some() || function.is_some()).then_some(Self { module, function })
    }

    fn component(name: &str) -> Self {
        Self {
            module: None,
            function: Some(name.to_owned()),
        }
    }

    fn file(name: &str) -> Self {
        Self {
            module: Some(name.trim().to_owned()),
            function: None,
        }
    }

    /// Both names in small letters, for comparing.
    pub(super) fn folded(&self) -> String {
        self.to_string().to_lowercase()
    }

    /// What the file belongs to, where that is known.
    pub fn owner(&self) -> Option<&'static str> {
        let module = self.module.as_deref()?.to_lowercase();
        let known = OWNERS.iter().find(|(name, _)| module.ends_with(name));
        known.map(|(_, owner)| *owner)
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.module, &self.function) {
            (Some(module), Some(function)) => write!(f, "{module},{function}"),
            (Some(name), None) | (None, Some(name)) => f.write_str(name),
            (None, None) => Ok(()),
        }
    }
}

/// `executing 'F' from C:\x.dll; dwRet`, and the older `executing 'C:\x.dll,F', returned`.
fn called(text: &str) -> Option<Part> {
    let (_, rest) = text.split_once("while executing")?;
    let (_, rest) = rest.split_once('\'')?;
    let (inner, rest) = rest.split_once('\'')?;
    if let Some((module, function)) = inner.split_once(',') {
        return Some(Part {
            module: Some(module.trim().to_owned()),
            function: Some(function.trim().to_owned()),
        });
    }
    let module = rest
        .split_once("from ")
        .and_then(|(_, rest)| rest.split([';', ',']).next())
        .map(|module| module.trim().trim_end_matches('.').to_owned())
        .filter(|module| !module.is_empty());
    Some(Part {
        module,
        function: Some(inner.trim().to_owned()),
    })
}

fn named<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split([';', ',', ' ']).next().filter(|name| !name.is_empty())
}

/// `[oobeldr.exe] …`, and the command that it tells of: `Command [… /system] failed`.
fn program(text: &str) -> Option<Part> {
    let inner = text.strip_prefix('[')?;
    let (name, rest) = inner.split_once(']')?;
    let function = rest
        .split_once("ommand [")
        .and_then(|(_, command)| command.split_once(']'))
        .map(|(command, _)| command.to_owned());
    Some(Part {
        module: Some(name.to_owned()),
        function,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_in_all_forms() {
        let check = |text: &str, expect: &str| {
            assert_eq!(
                Part::of(text).map(|part| part.to_string()).as_deref(),
                Some(expect),
                "{text}"
            );
        };
        check(
            "LaunchDll:Failure occurred while executing 'DscCore.dll,SysPrep_Cleanup', returned error code 0x2",
            "DscCore.dll,SysPrep_Cleanup",
        );
        check(
            "ActionPlatform::LaunchModule: Failure occurred while executing 'F' from C:\\Windows\\System32\\a.dll; dwRet = 0x5",
            "C:\\Windows\\System32\\a.dll,F",
        );
        check(
            "SysprepSession::ExecuteInternal: Error in executing action for Windows-X; dwRet = 0x5",
            "Windows-X",
        );
        check(
            "LaunchDll:Could not load DLL C:\\a\\b.dll[gle=0x000000c1]",
            "C:\\a\\b.dll",
        );
        check(
            "[windeploy.exe] Command [oobe\\x.exe /s] failed with exit code [0x1]",
            "windeploy.exe,oobe\\x.exe /s",
        );
        let begun = |text: &str| Part::begun(text).map(|part| part.to_string());
        assert_eq!(
            begun("Entering RdpSysPrepRestoreOffline").as_deref(),
            Some("RdpSysPrepRestoreOffline")
        );
        assert_eq!(
            begun("ActionPlatform::LaunchModule: Executing method 'F' from C:\\a.dll").as_deref(),
            Some("C:\\a.dll,F")
        );
        let speaking = |text: &str| Part::speaking("IBS", text).map(|part| part.to_string());
        assert_eq!(
            speaking("PerformDiskOperation:Disk failed").as_deref(),
            Some("IBS,PerformDiskOperation")
        );
        assert_eq!(
            speaking("Session::Create: it failed").as_deref(),
            Some("IBS,Session::Create")
        );
        assert_eq!(speaking("it failed: twice").as_deref(), Some("IBS"));
        assert_eq!(Part::of("nothing here"), None);
        assert_eq!(Part::of("while executing 'F").map(|part| part.to_string()), None);
    }
}
