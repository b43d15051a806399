//! What /proc and ps show of a process: the words it was started with, written over.
#![allow(unsafe_code)]

use std::{fs, io, ptr};

/// The memory that holds this process's arguments.
#[derive(Debug)]
pub struct Title {
    start: usize,
    room: usize,
}

impl Title {
    /// Takes the arguments over. They must have been read by now, and there must be one thread: nobody else may look at them any
    /// more. There is room for as many bytes as they have.
    ///
    /// # Errors
    /// If /proc cannot be read.
    pub fn take_over() -> io::Result<Self> {
        let (start, end) = place(&fs::read_to_string("/proc/self/stat")?).unwrap_or_default();
        Ok(Self {
            start,
            room: end.saturating_sub(start),
        })
    }

    /// Shows other words. What does not fit is left out.
    pub fn set<'a>(&mut self, words: impl IntoIterator<Item = &'a [u8]>) {
        if self.start == 0 || self.room == 0 {
            return;
        }
        let place = ptr::with_exposed_provenance_mut::<u8>(self.start);
        // SAFETY: the kernel has put the arguments there, on the stack above all frames, and they stay for as long as the process
        // lives; as `take_over` demands, nobody else uses them.
        let place = unsafe { std::slice::from_raw_parts_mut(place, self.room) };
        place.fill(0);
        let text: Vec<u8> = words.into_iter().collect::<Vec<_>>().join(&0);
        // The last byte stays zero, by which the kernel knows that these are words.
        let room = place.iter_mut().take(self.room - 1);
        room.zip(text).for_each(|(to, from)| *to = from);
    }
}

/// Where the arguments begin and end (fields 48 and 49 of /proc/PID/stat).
fn place(stat: &str) -> Option<(usize, usize)> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(48 - 3);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{fork::in_child, reap::reap};

    #[test]
    fn other_words_are_shown() {
        let child = in_child(|| {
            let mut title = Title::take_over().unwrap();
            title.set([b"one".as_slice(), b"two"]);
            let shown = fs::read_to_string("/proc/self/cmdline").unwrap();
            assert_eq!(shown.trim_end_matches('\0'), "one\0two");
            title.set([vec![b'x'; 1 << 20].as_slice()]);
            let shown = fs::read_to_string("/proc/self/cmdline").unwrap();
            assert_eq!(shown.trim_end_matches('\0').len() + 1, title.room);
        });
        assert_eq!(reap(child.unwrap()).unwrap().code(), Some(0));
    }
}
