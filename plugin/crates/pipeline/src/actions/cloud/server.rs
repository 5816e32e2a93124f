//! Asks for a machine. Its root volume lives exactly as long as the build wants it to.

use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_guest::system::{self as bootstrap, BootstrapValues};
use reseal_machine::clock::elapsed;
use reseal_machine::cloud::{NewServer, Observed, ResourceKind, RootVolume, ServerStatus};
use reseal_machine::error::CloudErrorKind;
use reseal_machine::{FlavorId, ImageId, NetworkId, Schedule, ServerId, VolumeId};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::identity::{IdentityOutput, PASSWORD, PFX, PFX_PASSWORD};
use super::ready::ReadyOutput;
use super::{busy, left_by, left_by_in_time, look_again, passing};
use crate::plan::ids;
use crate::world::{Role, World, name, role_name};

/// What machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServerParams {
    /// Which of the build's machines.
    pub role: Role,
    /// Its name; without it the build's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The image, or the step whose image it is.
    pub image: ImageOf,
    /// The flavour.
    pub flavor: FlavorId,
    /// The network.
    pub network: NetworkId,
    /// The subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// The zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The volume to boot from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_volume: Option<RootVolume>,
    /// Whether user data makes the way in.
    pub user_data: Option<UserData>,
    /// The step that waits for this machine and knows its volumes.
    pub ready: String,
}

/// What the user data must do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserData {
    /// The port by which the build enters.
    pub port: u16,
    /// Whether it enters by the HTTPS listener that the user data make.
    pub https: bool,
    /// Hours after which the machine turns itself off, in case nobody is left to remove it.
    pub dead_man_hours: u32,
    /// The user's own script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
}

/// Which image.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageOf {
    /// This one.
    Id(ImageId),
    /// The one that this step made.
    Step(String),
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerOutput {
    /// Its id.
    pub id: ServerId,
    /// Its name.
    pub name: String,
}

/// The action.
pub(super) struct Create(pub(super) World);

#[async_trait]
impl Action for Create {
    type Params = ServerParams;
    type Output = ServerOutput;

    async fn find(&self, cx: &Context<'_>, _params: &ServerParams) -> Result<Option<ServerOutput>, ActionError> {
        look_again(cx, || self.by_marks(cx)).await
    }

    async fn run(&self, cx: &Context<'_>, params: &ServerParams) -> Result<ServerOutput, ActionError> {
        let new = Self::request(cx, params)?;
        let id = self.0.cloud.create_server(&new).await?;
        Ok(ServerOutput { id, name: new.name })
    }

    async fn undo(
        &self,
        cx: &Context<'_>,
        params: &ServerParams,
        output: Option<&ServerOutput>,
    ) -> Result<(), ActionError> {
        let Left { servers, mut volumes } = self.left(cx, output).await?;
        let ready = cx.output_if_any::<ReadyOutput>(&params.ready)?;
        add(&mut volumes, ready.iter().flat_map(|ready| ready.volumes.clone()));
        for server in &servers {
            if ready.as_ref().is_none_or(|ready| ready.server != *server) {
                add(&mut volumes, self.young(cx, params, server).await?);
            }
            self.remember(server, &mut volumes).await?;
            self.0.cloud.delete_server(server).await?;
            self.gone(cx, server).await?;
        }
        for volume in volumes {
            self.delete_volume(cx, &volume).await?;
        }
        Ok(())
    }
}

/// What an undo has to remove.
#[derive(Default)]
struct Left {
    servers: Vec<ServerId>,
    volumes: Vec<VolumeId>,
}

impl Create {
    /// The machine that is known, and whatever else carries this step's marks.
    async fn left(&self, cx: &Context<'_>, output: Option<&ServerOutput>) -> Result<Left, ActionError> {
        let cloud = self.0.cloud.as_ref();
        let marked = match output {
            Some(_) => left_by(cloud, cx).await?,
            None => left_by_in_time(cloud, cx).await?,
        };
        let mut left = Left::default();
        add(&mut left.servers, output.map(|known| known.id.clone()));
        for found in marked {
            match found.kind {
                ResourceKind::Server => add(&mut left.servers, [ServerId::new(found.id)]),
                ResourceKind::Volume => add(&mut left.volumes, [VolumeId::new(found.id)]),
                _ => {}
            }
        }
        Ok(left)
    }

    async fn by_marks(&self, cx: &Context<'_>) -> Result<Option<ServerOutput>, ActionError> {
        let mut left = left_by(self.0.cloud.as_ref(), cx).await?.into_iter();
        let server = left.find(|found| found.kind == ResourceKind::Server);
        Ok(server.map(|found| ServerOutput {
            id: ServerId::new(found.id),
            name: found.name,
        }))
    }

    fn request(cx: &Context<'_>, params: &ServerParams) -> Result<NewServer, ActionError> {
        let own = name(cx.build());
        let image = match &params.image {
            ImageOf::Id(id) => id.clone(),
            ImageOf::Step(step) => cx.output::<super::CaptureOutput>(step)?.image,
        };
        Ok(NewServer {
            name: params
                .name
                .clone()
                .unwrap_or_else(|| role_name(params.role, cx.build())),
            marks: cx.marks(),
            image,
            flavor: params.flavor.clone(),
            network: params.network.clone(),
            subnet: params.subnet.clone(),
            key_name: own.clone(),
            security_groups: vec![own],
            availability_zone: params.zone.clone(),
            root_volume: params.root_volume.clone(),
            user_data: params
                .user_data
                .as_ref()
                .map(|wanted| user_data(cx, params.role, wanted))
                .transpose()?,
        })
    }

    /// The volumes of a machine that nobody has waited for: it may not be shown yet, and its root volume may still be in
    /// the making. They are marked, because an undo that broke off after the machine's end must find them again.
    async fn young(
        &self,
        cx: &Context<'_>,
        params: &ServerParams,
        id: &ServerId,
    ) -> Result<Vec<VolumeId>, ActionError> {
        let cloud = &self.0.cloud;
        if look_again(cx, || async { Ok(cloud.server(id).await?.present()) })
            .await?
            .is_none()
        {
            return Ok(Vec::new());
        }
        let begun = cx.clock().now();
        let look = || async {
            let mut volumes = Vec::new();
            self.remember(id, &mut volumes).await?;
            let seen = cloud.server(id).await?.present();
            let growing = seen.is_some_and(|server| server.status == ServerStatus::Build);
            let worth_it = params.root_volume.is_some() && volumes.is_empty() && growing;
            let wait = worth_it && elapsed(cx.clock(), begun) < YOUTH;
            Ok(if wait {
                Verdict::Waiting("BUILD, no volume yet".into())
            } else {
                Verdict::Done(volumes)
            })
        };
        let volumes = cx
            .wait_until("the machine's root volume", Schedule::up_to(YOUTH), look)
            .await?;
        for volume in &volumes {
            if let Err(error) = cloud.mark_volume(volume, &cx.marks()).await {
                cx.note(format!("volume {volume} could not be marked: {error}"));
            }
        }
        Ok(volumes)
    }

    /// Adds the volumes that die with nobody: known only while the server is there.
    async fn remember(&self, server: &ServerId, volumes: &mut Vec<VolumeId>) -> Result<(), ActionError> {
        match self.0.cloud.attachments(server).await {
            Ok(attached) => {
                add(volumes, attached.into_iter().map(|one| one.volume));
                Ok(())
            }
            Err(error) if error.kind == CloudErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Nova lets go of a volume some time after the machine is gone, and may delete it itself.
    async fn delete_volume(&self, cx: &Context<'_>, volume: &VolumeId) -> Result<(), ActionError> {
        let look = || async {
            match self.0.cloud.delete_volume(volume).await {
                Ok(()) => Ok(Verdict::Done(())),
                Err(error) if error.kind == CloudErrorKind::Conflict => Ok(Verdict::Waiting("still attached".into())),
                Err(error) => Err(busy(error)),
            }
        };
        let schedule = Schedule::up_to(Duration::from_mins(10));
        let waited = cx.wait_until("the release of the volume", schedule, look).await;
        waited.map_err(|error| error.class(FailureClass::Cloud))
    }

    async fn gone(&self, cx: &Context<'_>, server: &ServerId) -> Result<(), ActionError> {
        let schedule = Schedule::up_to(Duration::from_mins(10));
        let look = || async {
            passing(self.0.cloud.server(server).await.map(|seen| match seen {
                Observed::Gone => Verdict::Done(()),
                Observed::Present(server) => Verdict::Waiting(format!("{:?}", server.status)),
            }))
        };
        let waited = cx.wait_until("the end of the machine", schedule, look).await;
        waited.map_err(|error| error.class(FailureClass::Cloud))
    }
}

/// Adds what is not there yet.
fn add<T: PartialEq>(all: &mut Vec<T>, new: impl IntoIterator<Item = T>) {
    for one in new {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// How long the undo of a machine waits for its root volume.
const YOUTH: Duration = Duration::from_mins(5);

/// Where the HTTPS listener is when nobody enters by it.
const HTTPS_PORT: u16 = 5986;

fn user_data(cx: &Context<'_>, role: Role, wanted: &UserData) -> Result<SecretString, ActionError> {
    let identity: IdentityOutput = cx.output(ids::IDENTITY)?;
    let (password, pfx, pfx_password) = (cx.secret(PASSWORD)?, cx.secret(PFX)?, cx.secret(PFX_PASSWORD)?);
    let values = BootstrapValues {
        run: cx.build().to_string(),
        role: match role {
            Role::Build => bootstrap::Role::Build,
            Role::Verify => bootstrap::Role::Verify,
        },
        account: role_name(role, cx.build()),
        password: password.expose_secret().to_owned(),
        pfx: pfx.expose_secret().to_owned(),
        pfx_password: pfx_password.expose_secret().to_owned(),
        thumbprint: identity.thumbprint,
        // Over http the build enters by the listener that is there anyway; ours does not take its port.
        port: if wanted.https { wanted.port } else { HTTPS_PORT },
        open_port: wanted.port,
        remote_addresses: vec![],
        dead_man_hours: wanted.dead_man_hours,
    };
    Ok(SecretString::from(bootstrap::user_data(
        &values,
        wanted.script.as_deref(),
    )))
}
