//! Every category of the cleaning, in a Windows that has what it cleans: it is gone afterwards, and only the commands were
//! called that belong to it.

use std::collections::BTreeSet;

use reseal_guest::system::{Category, CategoryResult, Hygiene, Query as _};
use serde_json::json;

use super::world::{SCRIPT_LOG, World, service};
use super::{Batch, Platform, winps};

/// A Windows with what one category cleans.
struct Residue {
    category: Category,
    world: World,
    /// Files that are gone afterwards.
    gone: &'static [&'static str],
    /// Files that are still there.
    stay: &'static [&'static str],
    /// Things that the script says it removed.
    removed: u64,
    /// Things that it could not remove.
    left: &'static [&'static str],
    /// Everything that was done to the system, in this order; `{root}` is the system's drive.
    calls: &'static [&'static str],
}

impl Residue {
    fn of(category: Category, world: World) -> Self {
        Self {
            category,
            world,
            gone: &[],
            stay: &[],
            removed: 0,
            left: &[],
            calls: &[],
        }
    }

    /// Files that the category removes, each of which counts, and others beside them that it does not touch.
    fn files(category: Category, gone: &'static [&'static str], stay: &'static [&'static str]) -> Self {
        let both = gone.iter().chain(stay);
        let world = both.fold(World::healthy(), |world, path| world.file(path, "x"));
        Self {
            gone,
            stay,
            removed: u64::try_from(gone.len()).unwrap(),
            ..Self::of(category, world)
        }
    }
}

const HISTORY: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer";
const WINLOGON: &str = r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon";
/// A file of Delivery Optimization.
const DELIVERED: &str =
    "Windows/ServiceProfiles/NetworkService/AppData/Local/Microsoft/Windows/DeliveryOptimization/Cache/x";
const WSUS: &str = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate";

/// Categories that delete files.
// Long because one row after the other is what it is.
fn file_residues() -> Vec<Residue> {
    vec![
        Residue::files(Category::Temp, &["Windows/Temp/a.tmp"], &["Windows/notepad.exe"]),
        Residue::files(
            Category::CrashDumps,
            &["Windows/MEMORY.DMP", "Windows/Minidump/a.dmp"],
            &["Windows/memory.txt"],
        ),
        Residue {
            // The account's folder counts beside the two files in it.
            removed: 3,
            ..Residue::files(
                Category::RecycleBin,
                &[
                    "$Recycle.Bin/S-1-5-21-7/$IA1B2C3.txt",
                    "$Recycle.Bin/S-1-5-21-7/$RA1B2C3.txt",
                ],
                &["Users/Public/a.txt"],
            )
        },
        Residue::files(
            Category::Prefetch,
            &["Windows/Prefetch/SETUP.EXE-1A2B3C4D.pf", "Windows/Prefetch/Layout.ini"],
            &["Windows/setup.exe"],
        ),
        Residue::files(
            Category::Logs,
            &["Windows/Logs/CBS/CBS.log", "Windows/Panther/setupact.log"],
            &["Windows/Panther/x.xml"],
        ),
        Residue::files(
            Category::AnswerFiles,
            &["unattend.xml", "Windows/Panther/unattend.xml"],
            &["Windows/Panther/setup.xml"],
        ),
        Residue::files(
            Category::SshHostKeys,
            &["ProgramData/ssh/ssh_host_rsa_key"],
            &["ProgramData/ssh/sshd_config"],
        ),
        Residue::files(Category::WindowsOld, &["Windows.old"], &["Windows/explorer.exe"]),
    ]
}

/// Categories that delete values of the registry, or events.
fn record_residues() -> Vec<Residue> {
    let loaded = |sid: &str, list: &str| format!(r"HKU:\{sid}\{HISTORY}\{list}");
    let typed = World::healthy()
        .key(
            &loaded("S-1-5-21-1-2-3-500", "RunMRU"),
            json!({"a": "cmd\\1", "MRUList": "a"}),
        )
        .key(
            &loaded("S-1-5-21-1-2-3-500", "TypedPaths"),
            json!({"url1": "\\\\files\\secret"}),
        )
        .key(&loaded("S-1-5-21-1-2-3-1001", "RunMRU"), json!({"a": "mstsc\\1"}))
        .key(&loaded("S-1-5-21-1-2-3-1001", "Advanced"), json!({"Hidden": 1}));
    let logon = json!({"AutoAdminLogon": "1", "DefaultPassword": "x", "DefaultUserName": "y"});
    vec![
        Residue {
            removed: 4,
            ..Residue::of(Category::RunHistory, typed)
        },
        Residue {
            removed: 3,
            ..Residue::of(Category::Winlogon, World::healthy().key(WINLOGON, logon))
        },
        Residue {
            removed: 2,
            ..Residue::of(
                Category::WsusId,
                World::healthy().key(WSUS, json!({"SusClientId": "1", "PingID": "2", "Other": "3"})),
            )
        },
        Residue {
            removed: 3,
            left: &["Microsoft-Windows-Kernel/Analytic"],
            calls: &[
                "clear Windows PowerShell",
                "clear System",
                "clear Microsoft-Windows-PowerShell/Operational",
            ],
            ..Residue::of(
                Category::EventLogs,
                World::healthy()
                    .events("System", 5, false)
                    .events(SCRIPT_LOG, 17, false)
                    .events("Microsoft-Windows-Kernel/Analytic", 3, true),
            )
        },
        Residue {
            removed: 2,
            calls: &[
                "clear Microsoft-Windows-PowerShell/Operational",
                "clear Windows PowerShell",
            ],
            ..Residue::of(
                Category::PowershellHistory,
                World::healthy().events(SCRIPT_LOG, 17, false),
            )
        },
    ]
}

/// Categories for which Windows has a command.
fn command_residues() -> Vec<Residue> {
    let update = World::healthy()
        .file("Windows/SoftwareDistribution/Download/x.cab", "x")
        .list(
            "services",
            json!([
                service("wuauserv", "Running"),
                service("bits", "Stopped"),
                service("UsoSvc", "Stopped")
            ]),
        );
    let delivered = World::healthy()
        .file(DELIVERED, "x")
        .list("services", json!([service("DoSvc", "Running")]));
    // A gigabyte stays free, and one block is written at a time.
    let (gigabyte, block) = (1_u64 << 30, 8_u64 << 20);
    vec![
        Residue {
            gone: &["Windows/SoftwareDistribution/Download/x.cab"],
            removed: 1,
            calls: &["stop wuauserv", "start wuauserv"],
            ..Residue::of(Category::UpdateCache, update)
        },
        Residue {
            gone: &[DELIVERED],
            removed: 1,
            calls: &["Delete-DeliveryOptimizationCache", "stop DoSvc", "start DoSvc"],
            ..Residue::of(Category::DeliveryOptimization, delivered)
        },
        Residue {
            calls: &["dism.exe /English /Online /Cleanup-Image /StartComponentCleanup /ResetBase /Quiet"],
            ..Residue::of(Category::ComponentStore, World::healthy())
        },
        Residue {
            calls: &["vssadmin.exe delete shadows /all /quiet"],
            ..Residue::of(Category::ShadowCopies, World::healthy())
        },
        Residue {
            gone: &["hiberfil.sys"],
            calls: &["powercfg.exe /h off"],
            ..Residue::of(Category::Hibernation, World::healthy().file("hiberfil.sys", "x"))
        },
        Residue {
            calls: &["defrag.exe {root} /L"],
            ..Residue::of(Category::Trim, World::healthy())
        },
        Residue {
            gone: &["reseal-zero.bin"],
            calls: &["free 1098907648", "free 1090519040", "free 1082130432"],
            ..Residue::of(
                Category::ZeroFree,
                World::healthy().list("free", json!(gigabyte + 3 * block)),
            )
        },
    ]
}

fn residues() -> Vec<Residue> {
    [file_residues(), record_residues(), command_residues()]
        .into_iter()
        .flatten()
        .collect()
}

fn word(category: Category) -> String {
    serde_json::to_value(category).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn every_category_has_a_world_that_needs_it() {
    let shown: BTreeSet<String> = residues().iter().map(|residue| word(residue.category)).collect();
    let schema = serde_json::to_value(schemars::schema_for!(Category)).unwrap();
    let words = schema["oneOf"].as_array().unwrap();
    let all: BTreeSet<String> = words
        .iter()
        .map(|one| one["const"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(shown, all, "each category needs a world that has what it cleans");
}

#[test]
fn every_category_cleans_its_residue_and_nothing_else() {
    let Some(winps) = winps("every_category_cleans_its_residue_and_nothing_else") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    for residue in residues() {
        let input = Hygiene {
            categories: vec![residue.category],
            keep: vec![],
            timeout_seconds: 60,
        };
        let name = word(residue.category);
        batch.add_in(&residue.world, &name, Hygiene::SCRIPT, input.input());
        batch.add(&format!("{name} again"), Hygiene::SCRIPT, input.input());
        batch.add_in(
            &World::healthy(),
            &format!("{name} nowhere"),
            Hygiene::SCRIPT,
            input.input(),
        );
    }
    let said = batch.run(&winps);
    let result = |name: &str| -> CategoryResult { Hygiene::read(said[name].answer()).unwrap().categories.remove(0) };
    for residue in residues() {
        let name = word(residue.category);
        let (once, again, nowhere) = (
            result(&name),
            result(&format!("{name} again")),
            result(&format!("{name} nowhere")),
        );
        assert!(
            once.done && again.done && nowhere.done,
            "{once:?} {again:?} {nowhere:?}"
        );
        assert_eq!(
            (once.removed, &once.left),
            (residue.removed, &owned(residue.left)),
            "{once:?}"
        );
        // Logs are cleared whether they have events or not; of everything else nothing is left to remove.
        let cleared = residue.calls.iter().filter(|call| call.starts_with("clear ")).count();
        let cleared = u64::try_from(cleared).unwrap();
        assert_eq!((again.removed, nowhere.failed), (cleared, 0), "{again:?} {nowhere:?}");
        let root = batch.root(&name);
        for path in residue.gone {
            assert!(!root.join(path).exists(), "{name}: {path} is still there");
        }
        for path in residue.stay {
            assert!(root.join(path).exists(), "{name}: {path} is gone too");
        }
        assert_eq!(batch.calls(&name), owned(&residue.calls.repeat(2)), "{name}");
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
