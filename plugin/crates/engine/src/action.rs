//! One thing that a build does, and can take back.

use async_trait::async_trait;
use reseal_journal::FailureRecord;
use reseal_machine::{CloudError, CommError, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::context::Context;

/// A failure's class; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// A bug of ours.
    Internal,
    /// The spec or its files.
    Input,
    /// The cloud refused or is not well.
    Cloud,
    /// The guest cannot be reached.
    Unreachable,
    /// A step of the software failed.
    Install,
    /// Answer file, preflight or sysprep.
    Sysprep,
    /// The image could not be made.
    Capture,
    /// The image does not hold what it should.
    Verify,
    /// Somebody asked to stop.
    Cancelled,
}

impl FailureClass {
    /// The word that stands in journals.
    pub fn word(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Input => "input",
            Self::Cloud => "cloud",
            Self::Unreachable => "unreachable",
            Self::Install => "install",
            Self::Sysprep => "sysprep",
            Self::Capture => "capture",
            Self::Verify => "verify",
            Self::Cancelled => "cancelled",
        }
    }

    /// The class of a journal's word; unknown words are internal.
    pub fn from_word(word: &str) -> Self {
        use FailureClass::{Cancelled, Capture, Cloud, Input, Install, Internal, Sysprep, Unreachable, Verify};
        [Input, Cloud, Unreachable, Install, Sysprep, Capture, Verify, Cancelled]
            .into_iter()
            .find(|class| class.word() == word)
            .unwrap_or(Internal)
    }
}

/// Why an action failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ActionError {
    /// The class.
    pub class: FailureClass,
    /// Whether another attempt can help.
    pub status: Status,
    /// What failed, a lower-case fragment.
    pub message: String,
    /// What the guest or the cloud said.
    pub said: Vec<String>,
    /// What a person can do.
    pub hints: Vec<String>,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ActionError {
    /// A permanent failure.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self {
            class,
            status: Status::Permanent,
            message: message.into(),
            said: vec![],
            hints: vec![],
            source: None,
        }
    }

    /// Somebody asked to stop.
    pub fn cancelled() -> Self {
        Self::new(FailureClass::Cancelled, "interrupted")
    }

    /// Adds what a person can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what the guest or the cloud said.
    #[must_use]
    pub fn said(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.said.extend(lines.into_iter().map(Into::into));
        self
    }

    /// Puts the failure into another class: a cloud error while capturing is a capture failure.
    #[must_use]
    pub fn class(mut self, class: FailureClass) -> Self {
        if self.class != FailureClass::Cancelled {
            self.class = class;
        }
        self
    }

    /// The failure as data for the journal.
    pub fn record(&self) -> FailureRecord {
        let mut causes = Vec::new();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        FailureRecord {
            class: self.class.word().to_owned(),
            message: self.message.clone(),
            causes,
            said: self.said.clone(),
            hints: self.hints.clone(),
        }
    }
}

impl From<CloudError> for ActionError {
    fn from(error: CloudError) -> Self {
        let mut said = Vec::new();
        if let Some(id) = &error.request_id {
            said.push(format!("request id {id}"));
        }
        Self {
            class: FailureClass::Cloud,
            status: error.status,
            message: error.to_string(),
            said,
            hints: error.hints.clone(),
            source: error.source,
        }
    }
}

impl From<CommError> for ActionError {
    fn from(error: CommError) -> Self {
        let class = match error {
            CommError::Cancelled => return Self::cancelled(),
            CommError::Local { .. } => FailureClass::Input,
            CommError::Script { .. } | CommError::Checksum { .. } => FailureClass::Install,
            _ => FailureClass::Unreachable,
        };
        let status = error.status();
        let said = match &error {
            CommError::Script { tail, .. } => tail.clone(),
            _ => Vec::new(),
        };
        Self {
            class,
            status,
            message: error.to_string(),
            said,
            hints: vec![],
            source: source_of(error),
        }
    }
}

fn source_of(error: CommError) -> Option<Box<dyn std::error::Error + Send + Sync>> {
    match error {
        CommError::Lost { source, .. } => source,
        CommError::Local { source, .. } => Some(Box::new(source)),
        _ => None,
    }
}

/// One kind of thing that a build does. Stateless: everything it learns is in its output or in the journal.
#[async_trait]
pub trait Action: Send + Sync {
    /// What the plan says about it.
    type Params: Serialize + DeserializeOwned + Send + Sync;
    /// What later steps, `undo` and a resume need to know of it.
    type Output: Serialize + DeserializeOwned + Send + Sync;

    /// After a crash: did it happen? Looks it up by the marks that `run` leaves. `None` means "run it (again)"; an
    /// action whose `run` may be repeated freely keeps the default.
    async fn find(&self, _cx: &Context<'_>, _params: &Self::Params) -> Result<Option<Self::Output>, ActionError> {
        Ok(None)
    }

    /// Makes it so. Running it again after success changes nothing.
    async fn run(&self, cx: &Context<'_>, params: &Self::Params) -> Result<Self::Output, ActionError>;

    /// Takes it back. Succeeds if there is nothing to take back. `output` is `None` after a "perhaps".
    async fn undo(
        &self,
        _cx: &Context<'_>,
        _params: &Self::Params,
        _output: Option<&Self::Output>,
    ) -> Result<(), ActionError> {
        Ok(())
    }
}

/// An action with JSON at its edges, for the registry.
#[async_trait]
pub trait ErasedAction: Send + Sync {
    /// See [`Action::find`].
    async fn find(&self, cx: &Context<'_>, params: &Value) -> Result<Option<Value>, ActionError>;
    /// See [`Action::run`].
    async fn run(&self, cx: &Context<'_>, params: &Value) -> Result<Value, ActionError>;
    /// See [`Action::undo`].
    async fn undo(&self, cx: &Context<'_>, params: &Value, output: Option<&Value>) -> Result<(), ActionError>;
}

#[async_trait]
impl<A: Action> ErasedAction for A {
    async fn find(&self, cx: &Context<'_>, params: &Value) -> Result<Option<Value>, ActionError> {
        let found = Action::find(self, cx, &read(params, "parameters")?).await?;
        found.map(|output| write(&output)).transpose()
    }

    async fn run(&self, cx: &Context<'_>, params: &Value) -> Result<Value, ActionError> {
        write(&Action::run(self, cx, &read(params, "parameters")?).await?)
    }

    async fn undo(&self, cx: &Context<'_>, params: &Value, output: Option<&Value>) -> Result<(), ActionError> {
        let output: Option<A::Output> = output.map(|value| read(value, "output")).transpose()?;
        Action::undo(self, cx, &read(params, "parameters")?, output.as_ref()).await
    }
}

pub(crate) fn read<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, ActionError> {
    T::deserialize(value).map_err(|error| {
        ActionError::new(
            FailureClass::Internal,
            format!("the step's {what} do not fit its action: {error}"),
        )
    })
}

fn write<T: Serialize>(value: &T) -> Result<Value, ActionError> {
    serde_json::to_value(value)
        .map_err(|error| ActionError::new(FailureClass::Internal, format!("the step's output is no JSON: {error}")))
}
