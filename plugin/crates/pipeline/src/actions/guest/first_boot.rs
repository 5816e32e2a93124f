//! The first boot of the image on a second machine: followed through specialize and OOBE to a log-in, and explained when
//! it does not get there.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_guest::system::{CollectLogs, FirstBoot as FirstBootQuery};
use reseal_machine::clock::elapsed;
use reseal_machine::cloud::ServerPassword;
use reseal_machine::{CommError, Communicator, Schedule, ServerId};
use serde::{Deserialize, Serialize};

use super::ask::{Unanswered, once};
use super::boot_watch::{Fate, Sight, Watch};
use super::connect::{self, Account, ConnectParams};
use super::logs;
use crate::actions::cloud::{KEY, ReadyOutput};
use crate::identity;
use crate::world::{Door, Entrance, World};

/// The console is looked at this often: it is long, and it only has to show that something moves.
const CONSOLE_EVERY: Duration = Duration::from_secs(30);

/// Which machine, how to enter it, and what must have come to its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FirstBootParams {
    /// The way in.
    pub connect: ConnectParams,
    /// The name of Cloudbase-Init's service.
    pub service: String,
}

/// The action.
pub(super) struct Follow(pub(super) World);

#[async_trait]
impl Action for Follow {
    type Params = FirstBootParams;
    type Output = Entrance;

    async fn run(&self, cx: &Context<'_>, params: &FirstBootParams) -> Result<Entrance, ActionError> {
        let ready: ReadyOutput = cx.output(&params.connect.ready)?;
        let journey = Journey {
            cx,
            world: &self.0,
            params,
            server: &ready.server,
            watch: Mutex::new(Watch::new(cx.clock().now())),
            console: Mutex::new(None),
        };
        match journey.follow().await {
            Ok(entrance) => Ok(entrance),
            Err(error) if error.class == FailureClass::Cancelled => Err(error),
            Err(error) => Err(journey.explained(error).await),
        }
    }
}

/// One first boot under watch.
struct Journey<'a> {
    cx: &'a Context<'a>,
    world: &'a World,
    params: &'a FirstBootParams,
    server: &'a ServerId,
    watch: Mutex<Watch>,
    /// When the console was last looked at.
    console: Mutex<Option<jiff::Timestamp>>,
}

impl Journey<'_> {
    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn follow(&self) -> Result<Entrance, ActionError> {
        let limit = Duration::from_secs(self.params.connect.limit_seconds);
        let waited = self
            .cx
            .wait_until("the first boot of the image", Schedule::up_to(limit), || self.look());
        waited.await.map_err(|error| error.class(FailureClass::Verify))
    }

    async fn look(&self) -> Result<Verdict<Entrance>, ActionError> {
        self.look_outside().await?;
        let arrived = self.look_inside().await?;
        let watch = self.watch();
        match arrived {
            Some(entrance) => Ok(Verdict::Done(entrance)),
            None if watch.hopeless().is_some() => Err(ActionError::new(
                FailureClass::Verify,
                "the first boot of the image failed",
            )),
            None => Ok(Verdict::Waiting(watch.last())),
        }
    }

    /// The machine and its console, as the cloud shows them. A look that fails saw nothing.
    async fn look_outside(&self) -> Result<(), ActionError> {
        if let Ok(seen) = self.world.cloud.server(self.server).await {
            self.watch().saw_server(&seen);
        }
        let now = self.cx.clock().now();
        let last = *self.console.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| elapsed(self.cx.clock(), last) < CONSOLE_EVERY) {
            return Ok(());
        }
        *self.console.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        if let Ok(text) = self.world.cloud.console_output(self.server).await {
            self.watch().saw_console(now, text);
        }
        Ok(())
    }

    /// The guest's own word; its entrance when the boot has come to its end.
    async fn look_inside(&self) -> Result<Option<Entrance>, ActionError> {
        let Some(door) = self.door().await? else {
            return Ok(None);
        };
        let guest = match self.world.linked(&self.cx.step().id) {
            Some(link) => link,
            None => self.world.open(self.cx, &self.cx.step().id, &door)?,
        };
        let sight = match guest.probe().await {
            Ok(probe) => Sight::Answers(probe),
            Err(CommError::Cancelled) => return Err(ActionError::cancelled()),
            Err(error) => Sight::of(&error),
        };
        let answers = matches!(sight, Sight::Answers(_));
        self.watch().saw(self.cx.clock().now(), sight);
        if answers && self.arrived(guest.as_ref()).await? {
            return connect::entrance(self.cx, guest.as_ref(), door).await.map(Some);
        }
        Ok(None)
    }

    /// The door; `None` while the guest has not posted the password that opens it.
    async fn door(&self) -> Result<Option<Door>, ActionError> {
        let name = connect::posted_name(self.cx);
        if matches!(self.params.connect.account, Account::Posted(_)) && self.cx.secret(&name).is_err() {
            match self.world.cloud.server_password(self.server).await {
                Ok(ServerPassword::Encrypted(text)) => self.keep(&name, &text)?,
                Ok(ServerPassword::NotOffered) => return Err(connect::not_offered()),
                Ok(ServerPassword::NotYet) => return Ok(self.no_password("no password posted yet".to_owned())),
                Err(error) => return Ok(self.no_password(error.to_string())),
            }
        }
        connect::door(self.cx, &self.params.connect, name).map(Some)
    }

    fn no_password(&self, why: String) -> Option<Door> {
        self.watch().saw(self.cx.clock().now(), Sight::Silent(why));
        None
    }

    fn keep(&self, name: &str, encrypted: &str) -> Result<(), ActionError> {
        let key = self.cx.secret(KEY)?;
        let password = identity::decrypt_password(&key, encrypted)
            .map_err(|error| ActionError::new(FailureClass::Verify, error.to_string()))?;
        self.cx.keep_secret(name, password)
    }

    /// Whether Setup and Cloudbase-Init have done everything. A guest that is lost under the question restarts.
    async fn arrived(&self, guest: &dyn Communicator) -> Result<bool, ActionError> {
        let query = FirstBootQuery {
            service: self.params.service.clone(),
        };
        let state = match once(self.cx, guest, &query).await {
            Ok(state) => state,
            Err(Unanswered::Lost(CommError::Cancelled)) => return Err(ActionError::cancelled()),
            Err(Unanswered::Lost(error)) => {
                self.watch().saw(self.cx.clock().now(), Sight::of(&error));
                return Ok(false);
            }
            Err(Unanswered::Refused(failure)) => return Err(super::ask::refused(FailureClass::Verify, &failure)),
        };
        let done = state.is_complete() && (!state.cloudbase.present || state.cloudbase.plugins_done);
        self.watch().saw_state(state);
        Ok(done)
    }

    /// The failure with its kind by name, its evidence, and the logs at home or the reason why they are not.
    async fn explained(&self, error: ActionError) -> ActionError {
        let (fate, evidence) = {
            let watch = self.watch();
            (watch.fate(), watch.evidence())
        };
        let home = self.logs_home().await;
        let limit = Duration::from_secs(self.params.connect.limit_seconds);
        let mut told = ActionError::new(FailureClass::Verify, sentence(fate, limit)).said(evidence);
        if !error.message.starts_with("the first boot of the image") {
            told.said.push(error.message);
        }
        told.said.extend(error.said);
        told.said.push(home);
        told.hints.extend(hints(fate).iter().map(|hint| (*hint).to_owned()));
        told.hints.extend(error.hints);
        told
    }

    /// Brings home what tells why: the console's text, and Setup's logs where the guest answers.
    async fn logs_home(&self) -> String {
        let console = self.watch().console().map(ToOwned::to_owned);
        if let Some(text) = console {
            logs::keep(self.cx, self.world, "console.log", text.as_bytes());
        }
        if !self.watch().has_answered() {
            return "no logs of Setup could be brought home, because WinRM never answered".to_owned();
        }
        let Some(guest) = self.world.linked(&self.cx.step().id) else {
            return "no logs of Setup could be brought home: the way in is not known".to_owned();
        };
        match once(self.cx, guest.as_ref(), &CollectLogs::default()).await {
            Ok(found) => {
                let wanted = found
                    .files
                    .into_iter()
                    .filter(|file| file.kind == "setup" || file.kind == "cloudbase");
                let paths: Vec<String> = wanted.map(|file| file.path).collect();
                logs::bring_home(self.cx, self.world, guest.as_ref(), &paths).await;
                format!("{} logs of Setup and Cloudbase-Init were brought home", paths.len())
            }
            Err(Unanswered::Lost(error)) => format!("no logs of Setup could be brought home: {error}"),
            Err(Unanswered::Refused(failure)) => format!("no logs of Setup could be brought home: {}", failure.message),
        }
    }
}

/// What became of it, in one sentence.
fn sentence(fate: Fate, limit: Duration) -> String {
    let limit = jiff::SignedDuration::try_from(limit).unwrap_or(jiff::SignedDuration::MAX);
    match fate {
        Fate::Off => "the image's first boot ended with the machine turning itself off".to_owned(),
        Fate::Lost => "the image's first boot failed: the cloud gave the machine up".to_owned(),
        Fate::Loop => "the image is in a boot loop: its first boot restarts again and again".to_owned(),
        Fate::Refused => {
            "the image starts, and then refuses the account that its first boot should have made".to_owned()
        }
        Fate::Untrusted => "the image starts, and then answers with a certificate that is not the build's".to_owned(),
        Fate::Unfinished => {
            format!("the image's first boot is not finished after {limit:#}: Windows answers, Setup is not done")
        }
        Fate::Stopped => {
            format!("the image's first boot has stopped: nothing has moved for a long time within {limit:#}")
        }
        Fate::Slow => format!("the image's first boot is slow: it was still at work when {limit:#} were over"),
        Fate::Unknown => format!(
            "the image's first boot did not end within {limit:#}; nothing that this cloud shows tells a loop, a stop and a slow boot apart"
        ),
    }
}

const RESCUE: &str = "to read Setup's logs: build again with `-on-error=abort`, attach the root volume of the second \
                      machine to another one, and look at Windows\\Panther\\setuperr.log and \
                      Windows\\Panther\\UnattendGC\\setupact.log (`reseal explain` reads that folder and names the cause)";

fn hints(fate: Fate) -> &'static [&'static str] {
    match fate {
        Fate::Loop => &[
            "Cloudbase-Init in the specialize pass that ends with 2 restarts the machine for ever; so does a driver that \
             stops Windows before Setup",
            RESCUE,
        ],
        Fate::Slow => &["give `verify: { timeout: … }` more time"],
        Fate::Refused | Fate::Untrusted => &[
            "the user data did not run on the clone: see whether Cloudbase-Init starts after Setup (SetupComplete.cmd)",
            RESCUE,
        ],
        Fate::Unfinished => &["Setup waits for something: see setuperr.log among the logs"],
        Fate::Lost => &[],
        Fate::Off | Fate::Stopped | Fate::Unknown => &[
            "Setup stops at a dialog when the answer file is wrong or leaves a question open: try `reseal unattend lint`",
            RESCUE,
        ],
    }
}
