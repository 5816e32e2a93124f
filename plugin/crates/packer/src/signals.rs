//! Interrupts, which are Packer's business: it tells plugins by a call.

/// Takes no notice of Ctrl-C and requests to terminate from now on. Must be called within a tokio runtime.
pub(crate) fn ignore() {
    tokio::spawn(async {
        while tokio::signal::ctrl_c().await.is_ok() {
            tracing::debug!("interrupted; Packer will say what to do");
        }
    });
    #[cfg(unix)]
    if let Ok(mut terminations) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::spawn(async move {
            while terminations.recv().await.is_some() {
                tracing::debug!("asked to terminate; Packer will say what to do");
            }
        });
    }
}
