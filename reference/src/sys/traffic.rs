//! The bytes that went through the interfaces of a network namespace.

use std::{fs, io};

use super::process::Pid;

/// What came in and went out over all interfaces but the loopback, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Received.
    pub received: u64,
    /// Sent.
    pub sent: u64,
}

impl Traffic {
    /// Of the network namespace that a process is in.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn of(pid: Pid) -> io::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/net/dev"))?;
        Ok(Self::parse(&text))
    }

    /// Two lines of headings, then `NAME: ` and sixteen numbers for each interface: eight of what it received, eight of what it
    /// sent, the bytes first.
    fn parse(text: &str) -> Self {
        let mut sum = Self::default();
        for line in text.lines().skip(2) {
            let Some((name, numbers)) = line.rsplit_once(':') else {
                continue;
            };
            if name.trim() == "lo" {
                continue;
            }
            let mut numbers = numbers
                .split_ascii_whitespace()
                .map(|number| number.parse::<u64>().unwrap_or_default());
            let received = numbers.next().unwrap_or_default();
            let sent = numbers.nth(7).unwrap_or_default();
            sum.received = sum.received.saturating_add(received);
            sum.sent = sum.sent.saturating_add(sent);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICES: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    7785     113    0    0    0     0          0         0     7785     113    0    0    0     0       0          0
  eth0:     100       1    0    0    0     0          0         0       20       1    0    0    0     0       0          0
eth1:3000000000000      1    0    0    0     0          0         0        3       1    0    0    0     0       0          0
";

    #[test]
    fn the_loopback_does_not_count_and_the_others_are_added_up() {
        let wanted = Traffic {
            received: 3_000_000_000_100,
            sent: 23,
        };
        assert_eq!(Traffic::parse(DEVICES), wanted);
    }

    #[test]
    fn a_network_of_its_own_without_interfaces_has_no_traffic() {
        let loopback: Vec<&str> = DEVICES.lines().take(3).collect();
        assert_eq!(Traffic::parse(&loopback.join("\n")), Traffic::default());
    }
}
