//! What our console says, handed to Packer line by line, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reseal_packer::Ui;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::console::{self, Weight};

/// Texts that wait for Packer to show them. What comes on top is lost, and a note says so.
const MOST: usize = 8192;

enum Job {
    Show(Weight, String),
    /// Everything before this was shown.
    Reached(oneshot::Sender<()>),
}

/// The way to Packer's screen that never keeps anybody waiting.
pub(super) struct Screen {
    jobs: mpsc::Sender<Job>,
    lost: Arc<AtomicUsize>,
}

impl Screen {
    /// Opens the way. The task ends when the screen is dropped and everything was shown.
    fn open(ui: Arc<dyn Ui>) -> (Arc<Self>, JoinHandle<()>) {
        let (sender, jobs) = mpsc::channel(MOST);
        let lost = Arc::new(AtomicUsize::new(0));
        let pump = tokio::spawn(pump(ui, jobs, Arc::clone(&lost)));
        (Arc::new(Self { jobs: sender, lost }), pump)
    }

    /// Does something that speaks on this screen, and comes back when everything that it said is shown.
    pub(super) async fn during<T, F>(ui: Arc<dyn Ui>, work: impl FnOnce(Arc<Self>) -> F) -> T
    where
        F: Future<Output = T>,
    {
        let (screen, pump) = Self::open(ui);
        let done = work(Arc::clone(&screen)).await;
        screen.flush().await;
        pump.abort();
        done
    }

    /// Waits until everything that was said so far is shown.
    pub(super) async fn flush(&self) {
        let (reached, wait) = oneshot::channel();
        if self.jobs.send(Job::Reached(reached)).await.is_ok() {
            // A pump that ended has shown all that it ever will.
            let _ = wait.await;
        }
    }
}

impl console::Screen for Screen {
    fn show(&self, weight: Weight, text: &str) {
        if self.jobs.try_send(Job::Show(weight, text.to_owned())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn pump(ui: Arc<dyn Ui>, mut jobs: mpsc::Receiver<Job>, lost: Arc<AtomicUsize>) {
    while let Some(job) = jobs.recv().await {
        match job {
            Job::Show(Weight::Step, text) => ui.say(&text).await,
            Job::Show(Weight::Detail, text) => ui.message(&text).await,
            Job::Show(Weight::Error, text) => ui.error(&text).await,
            Job::Reached(reached) => {
                let _ = reached.send(());
            }
        }
        let missed = lost.swap(0, Ordering::Relaxed);
        if missed > 0 {
            ui.message(&format!(
                "({missed} lines came faster than they were shown; build.log has them)"
            ))
            .await;
        }
    }
}
