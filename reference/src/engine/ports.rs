//! Ports as images and containers expose them.

/// `80`, `80/tcp` or `80/udp` as `PORT/PROTOCOL`.
#[must_use]
pub(super) fn exposed(text: &str) -> Option<String> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
    matches!(protocol, "tcp" | "udp").then(|| format!("{port}/{protocol}"))
}
