//! No secret of a run is found where it must not be: outputs, run folder, process list, image, cloud.

use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reseal::rim::clock::SystemClock;
use reseal_engine::{Ended, Point, Strike};
use reseal_journal::Outcome;
use reseal_lab::Mode;
use reseal_lab::guest::inspect::contains;
use reseal_machine::Clock as _;

use crate::process::Site;
use crate::support::specs::small;
use crate::support::{Order, World, root};

/// A user's secret with letters that JSON, XML and shells write in other ways.
const TOKEN: &str = "Canary-7f3a&<9>'tok\"en";

/// A step that echoes the secret, an installer whose log tells its properties.
const SOFTWARE: &str = r##"
variables: { agent_token: { sensitive: true } }
software:
  - install_msi:
      source: { file: example-agent-4.2.1.msi }
      properties: { TOKEN: "${agent_token}" }
  - powershell: { name: Say it, inline: "# reseal-lab: print the token is ${agent_token}" }
"##;

fn spec(extra: &str) -> String {
    small(Mode::Nhn, &format!("{SOFTWARE}{extra}\nverify: {{ boot: true }}\n"))
}

fn order(world: &World, extra: &str) -> Order {
    let payload = root().join("examples/payload/example-agent-4.2.1.msi");
    std::fs::copy(payload, world.folder.path().join("example-agent-4.2.1.msi")).unwrap();
    Order {
        vars: vec![("agent_token".to_owned(), TOKEN.to_owned())],
        ..world.write("canary.reseal.yaml", &spec(extra))
    }
}

/// The forms in which a secret may stand in a text.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    let xml = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut forms = vec![secret.to_owned(), json.trim_matches('"').to_owned(), xml];
    forms.dedup();
    forms
}

/// Where below a folder a secret stands, in UTF-8, UTF-16 or base64.
fn found_in(folder: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(found_in(&path, secret));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        if forms(secret).iter().any(|form| contains(&bytes, form) > 0) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Every file below a folder, joined.
fn all_logs(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(all_logs(&path));
        } else {
            bytes.extend(std::fs::read(&path).unwrap());
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_build_no_secret_is_in_its_folder_its_image_or_the_cloud() {
    let world = World::open(Mode::Nhn, &[]).await;
    let order = order(&world, "");
    let kept = Mutex::new(String::new());
    let runs = world.runs();
    let listen = |point: Point, step: &str| {
        if (point, step) == (Point::Started, "image/publish") {
            let run = std::fs::read_dir(&runs).unwrap().next().unwrap().unwrap().path();
            *kept.lock().unwrap() = std::fs::read_to_string(run.join("keyring.json")).unwrap();
        }
        Strike::Pass
    };
    let gone = world.begin(&order, &listen, None).await.unwrap();
    let image = world.only_the_image(&gone.id);
    assert!(image.is_ok(), "{image:?} {:?}", gone.ended);
    let keyring: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&kept.into_inner().unwrap()).unwrap();
    assert!(keyring.len() >= 5, "{:?}", keyring.keys());
    let mut secrets: Vec<(String, String)> = keyring.into_iter().collect();
    secrets.extend(
        world
            .lab
            .secrets()
            .into_iter()
            .map(|secret| ("of the cloud".to_owned(), secret)),
    );
    let built = &world.room.machines()[0];
    let image = format!("{image:?}");
    for (name, secret) in &secrets {
        assert_eq!(
            found_in(world.run_dir(&gone.id).path(), secret),
            Vec::<String>::new(),
            "{name}"
        );
        assert_eq!(built.grep(secret), Vec::<String>::new(), "{name} in the image");
        assert!(!image.contains(secret.as_str()), "{name} in the image's properties");
        let asked = world
            .lab
            .requests()
            .into_iter()
            .any(|request| request.path.contains(secret.as_str()));
        assert!(!asked, "{name} in an address");
    }
    // The canary sings where it may: in the user data while the build runs, and masked in the logs that came home.
    let password = &secrets.iter().find(|(name, _)| name == "build/password").unwrap().1;
    assert!(world.lab.user_data().iter().any(|data| holds(data, password)));
    let logs = all_logs(&world.run_dir(&gone.id).guest_logs());
    assert!(
        contains(&logs, "Property(S): TOKEN = <sensitive>") > 0,
        "the installer's log came home"
    );
}

/// Whether user data hold a secret: it stands in a JSON document in base64.
fn holds(data: &[u8], secret: &str) -> bool {
    let text = String::from_utf8_lossy(data);
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "+/=".contains(letter)));
    words
        .filter_map(|word| BASE64_STANDARD.decode(word).ok())
        .any(|block| contains(&block, secret) > 0)
}

/// A secret that a step puts into the image on purpose is noticed before there is an image.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_would_stay_in_the_image_ends_the_build() {
    let world = World::open(Mode::Nhn, &[]).await;
    let step = "  - powershell: { name: Write it, inline: \"# reseal-lab: write C:/Users/Public/Documents/token.txt\\n${agent_token}\" }\n";
    let step = step.replace("C:/Users/Public/Documents/", "C:\\\\Users\\\\Public\\\\Documents\\\\");
    let gone = world.build(&order(&world, &step)).await.unwrap();
    let Some(Ended::Failed { failure, step, .. }) = &gone.ended else {
        panic!("{:?}", gone.ended)
    };
    assert_eq!(
        (failure.class.as_str(), step.as_str()),
        ("sysprep", "guest/residue"),
        "{failure:?}"
    );
    let said = failure.said.join("\n");
    assert!(said.contains("agent_token") && said.contains("token.txt"), "{said}");
    assert!(!said.contains(TOKEN));
    world.nothing(&gone.id, Outcome::Failed).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_prints_no_secret_in_any_of_its_voices() {
    for voice in [
        &[][..],
        &["-color=always", "-timestamp-ui"],
        &["-json"],
        &["-machine-readable"],
    ] {
        let site = Site::open(Mode::Nhn).await;
        let payload = root().join("examples/payload/example-agent-4.2.1.msi");
        std::fs::copy(payload, site.folder.path().join("example-agent-4.2.1.msi")).unwrap();
        std::fs::write(site.folder.path().join("canary.reseal.yaml"), spec("")).unwrap();
        let mut command = site.command(&[&["build", "canary.reseal.yaml"], voice].concat());
        command.env("RESEAL_VAR_agent_token", TOKEN);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let secrets = watch(&site, &mut child).await;
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap())
            .await
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let shown = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(output.status.code(), Some(0), "{voice:?}: {shown}");
        assert!(shown.contains("<sensitive>"), "{voice:?}: the echo was shown, masked");
        assert!(secrets.len() >= 5, "{}", secrets.len());
        for secret in secrets.iter().chain(&site.lab.secrets()) {
            assert!(
                forms(secret).iter().all(|form| contains(&text, form) == 0),
                "{voice:?} shows a secret"
            );
            assert_eq!(found_in(&site.runs(), secret), Vec::<String>::new(), "{voice:?}");
        }
    }
}

/// Looks at the process while it builds: its arguments, and the secrets in its keyring.
async fn watch(site: &Site, child: &mut std::process::Child) -> Vec<String> {
    let clock = SystemClock::new(1);
    let mut secrets = vec![TOKEN.to_owned()];
    for _ in 0..6000 {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        if let Some(id) = site.only_build() {
            let run = reseal_journal::RunDir::new(&site.runs(), &id);
            if std::fs::read_to_string(run.journal()).is_ok_and(|text| text.contains(r#""step":"guest/connect""#)) {
                let keyring = std::fs::read(run.keyring()).unwrap_or_default();
                let keyring: std::collections::BTreeMap<String, String> =
                    serde_json::from_slice(&keyring).unwrap_or_default();
                secrets.extend(keyring.into_values());
                let arguments = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default();
                assert!(
                    secrets.iter().all(|secret| contains(&arguments, secret) == 0),
                    "the process list tells"
                );
                break;
            }
        }
        clock.sleep(Duration::from_millis(5)).await;
    }
    secrets
}
