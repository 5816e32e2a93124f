//! A wire that breaks when it is told to.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Forwards connections. `answers` counts down with every piece of an answer; at zero the connection is cut before
/// that piece passes, once.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    answers: Arc<AtomicI64>,
}

impl Wire {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answers = Arc::new(AtomicI64::new(i64::MAX));
        let counter = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(forward(near, target, Arc::clone(&counter)));
            }
        });
        Self { address, answers }
    }

    /// Cuts the connection on which the answer number `number` (from 1) comes, before it passes.
    pub(crate) fn cut_at_answer(&self, number: i64) {
        self.answers.store(number, Ordering::SeqCst);
    }

    /// Whether the cut has happened.
    pub(crate) fn was_cut(&self) -> bool {
        self.answers.load(Ordering::SeqCst) <= 0
    }
}

async fn forward(near: TcpStream, target: SocketAddr, answers: Arc<AtomicI64>) {
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    let out = async move { tokio::io::copy(&mut near_in, &mut far_out).await };
    let back = async move {
        let mut buffer = vec![0; 1 << 20];
        while let Ok(count @ 1..) = far_in.read(&mut buffer).await {
            if answers.fetch_sub(1, Ordering::SeqCst) == 1 {
                return;
            }
            if near_out
                .write_all(buffer.get(..count).unwrap_or_default())
                .await
                .is_err()
            {
                return;
            }
        }
    };
    tokio::select! {
        _ = out => {}
        () = back => {}
    }
}
