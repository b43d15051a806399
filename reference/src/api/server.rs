//! Accepts clients, a thread for each, and ends in good order.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use nix::{errno::Errno, unistd::Uid};

use super::{
    connection,
    dispatch::{Dispatcher, Exported},
};
use crate::{
    engine::Cancel,
    sys::{
        listener::{Event, Listener, pause},
        peer::Peer,
        signals::Shutdown,
    },
};

/// The most clients at once; one more is accepted and closed, so that it is not left waiting.
pub const CONNECTIONS: usize = 1024;
/// How long a write waits for a client that does not read.
pub const WRITE_TIME: Duration = Duration::from_secs(30);
/// How long calls may take to finish once the daemon is asked to end.
pub const GRACE: Duration = Duration::from_secs(10);
/// A method needs a few KiB, a decompressor tens; the rest is never touched and costs nothing.
const STACK_BYTES: usize = 512 * 1024;
/// How long to wait for descriptors when none is left: clients stay in the backlog meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// Who calls: what a method that waits has to watch.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    peer: Arc<Peer>,
    shutdown: Shutdown,
}

impl Caller {
    pub(crate) fn cancel(&self) -> Cancel<'_> {
        Cancel {
            peer: Some(self.peer.as_fd()),
            shutdown: Some(self.shutdown.as_fd()),
        }
    }
}

/// Makes the interfaces that one client can call.
pub(crate) trait Service: Send + Sync + 'static {
    fn export(&self, caller: &Caller) -> Vec<Exported>;
}

/// Which users may call.
#[derive(Debug, Clone)]
pub struct Access(Vec<Uid>);

impl Access {
    /// Root, the user that the daemon runs as, and `others`.
    #[must_use]
    pub fn new(others: &[u32]) -> Self {
        let others = others.iter().copied().map(Uid::from_raw);
        Self(
            [Uid::from_raw(0), Uid::effective()]
                .into_iter()
                .chain(others)
                .collect(),
        )
    }

    fn admits(&self, user: Uid) -> bool {
        self.0.contains(&user)
    }
}

/// Serves until `stop` becomes readable; then lets calls finish.
#[derive(Debug)]
pub(crate) struct Server<S> {
    service: Arc<S>,
    access: Access,
    shutdown: Shutdown,
    seats: Arc<Seats>,
    /// A complaint is logged once, not once a client.
    complained: bool,
}

impl<S: Service> Server<S> {
    pub(crate) fn new(service: S, access: Access) -> io::Result<Self> {
        let (service, seats) = (Arc::new(service), Arc::new(Seats::default()));
        Ok(Self {
            service,
            access,
            shutdown: Shutdown::new()?,
            seats,
            complained: false,
        })
    }

    pub(crate) fn run(mut self, listener: Listener, stop: BorrowedFd<'_>) -> io::Result<()> {
        loop {
            match listener.wait(stop)? {
                Event::Stop => break,
                Event::Pause => {}
                Event::Client => match listener.accept() {
                    Ok(peer) => self.admit(peer),
                    Err(error) if is_passing(&error) => {}
                    Err(error) => {
                        self.complain(&format!("cannot accept a client: {error}"));
                        pause(stop, PAUSE)?;
                    }
                },
            }
        }
        drop(listener);
        self.shutdown.begin()?;
        let left = self.seats.wait_until_empty(GRACE);
        if left > 0 {
            tracing::warn!(left, "calls were still running at the end");
        }
        Ok(())
    }

    fn admit(&mut self, peer: Peer) {
        let user = match peer.user() {
            Ok(user) if self.access.admits(user) => user,
            Ok(user) => {
                return tracing::warn!(uid = user.as_raw(), "refused a client of another user");
            }
            Err(error) => return tracing::warn!(%error, "refused a client of unknown user"),
        };
        let Some(seat) = Seats::take(&self.seats) else {
            return self.complain("refused a client: too many connections");
        };
        match self.start(peer, seat) {
            Ok(()) => self.complained = false,
            Err(error) => self.complain(&format!("refused a client: no thread for it: {error}")),
        }
        tracing::debug!(uid = user.as_raw(), "a client came");
    }

    fn start(&self, peer: Peer, seat: Seat) -> io::Result<()> {
        peer.set_write_timeout(WRITE_TIME)?;
        let caller = Caller {
            peer: Arc::new(peer),
            shutdown: self.shutdown.clone(),
        };
        let service = Arc::clone(&self.service);
        let work = move || {
            let dispatcher = Dispatcher::new(service.export(&caller));
            connection::serve(&caller.peer, &dispatcher, caller.shutdown.as_fd());
            drop((dispatcher, caller));
            drop(seat);
        };
        thread::Builder::new()
            .name("client".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(work)?;
        Ok(())
    }

    fn complain(&mut self, complaint: &str) {
        if !std::mem::replace(&mut self.complained, true) {
            tracing::warn!("{complaint}");
        }
    }
}

/// A client that left before it was accepted, or a signal: nothing to wait for.
fn is_passing(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(
        errno,
        Some(Errno::EAGAIN | Errno::EINTR | Errno::ECONNABORTED)
    )
}

/// How many connections there are.
#[derive(Debug, Default)]
struct Seats {
    taken: Mutex<usize>,
    given_back: Condvar,
}

/// One connection; given back when dropped.
#[derive(Debug)]
struct Seat(Arc<Seats>);

impl Seats {
    fn take(seats: &Arc<Self>) -> Option<Seat> {
        let mut taken = seats.lock();
        if *taken >= CONNECTIONS {
            return None;
        }
        *taken += 1;
        Some(Seat(Arc::clone(seats)))
    }

    /// Waits for all to leave, but not longer than `time`; returns how many have not.
    fn wait_until_empty(&self, time: Duration) -> usize {
        let end = Instant::now() + time;
        let mut taken = self.lock();
        while *taken > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let woken = self.given_back.wait_timeout(taken, left);
            taken = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        // A count is whole at every moment.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::*;
    use crate::{api::fake::Served, sys::limits::raise_open_files};

    #[test]
    fn a_thousand_waiting_calls_leave_others_quick_and_end_with_their_clients() {
        raise_open_files().unwrap();
        let served = Served::start();
        let mut waiting: Vec<_> = (0..1000).map(|_| served.connect()).collect();
        waiting.iter_mut().for_each(|client| client.send("Wait"));
        served.expect_waiting(1000);
        let mut one = served.connect();
        let mut times: Vec<Duration> = (0..200)
            .map(|_| {
                let start = Instant::now();
                assert!(one.is_fine());
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        assert!(times[100] < Duration::from_millis(5), "{:?}", times[100]);
        drop(waiting);
        served.expect_waiting(0);
        assert!(one.is_fine());
    }

    #[test]
    fn at_the_end_calls_finish_waits_are_told_and_idle_clients_closed() {
        let mut served = Served::start();
        let (mut idle, mut slow, mut waits) =
            (served.connect(), served.connect(), served.connect());
        assert!(idle.is_fine());
        slow.send("Slow");
        waits.send("Wait");
        served.expect_waiting(1);
        std::thread::sleep(Duration::from_millis(100));
        let start = Instant::now();
        served.end();
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(
            slow.receive(),
            Some(json!({"parameters": {"text": "Slow"}}))
        );
        assert_eq!(
            waits.receive(),
            Some(json!({"parameters": {"text": "Wait"}}))
        );
        assert_eq!((idle.receive(), slow.receive()), (None, None));
    }

    #[test]
    fn a_client_that_does_not_read_holds_up_its_own_connection_only() {
        let served = Served::start();
        let mut lazy = served.connect();
        lazy.send("Flood");
        std::thread::sleep(Duration::from_millis(100));
        assert!(served.connect().is_fine());
        assert!(lazy.receive().is_some());
    }

    #[test]
    fn a_write_that_waits_too_long_fails() {
        let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let peer = Peer::new(ours.into());
        peer.set_write_timeout(Duration::from_millis(50)).unwrap();
        let error = std::io::Write::write_all(&mut &peer, &vec![0; 1 << 24]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn only_listed_users_are_admitted() {
        let access = Access::new(&[7]);
        assert!(access.admits(Uid::from_raw(0)) && access.admits(Uid::from_raw(7)));
        assert!(!access.admits(Uid::from_raw(8)) && !access.admits(Uid::from_raw(u32::MAX)));
    }
}
