//! Server-sent events as a client reads them (WHATWG HTML, section 9.2), as far as Milena writes them.

/// One event as it came.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// `event`.
    pub name: String,
    /// `id`.
    pub id: String,
    /// `data`.
    pub data: String,
}

/// Takes what arrives, and gives the events in it.
#[derive(Debug, Default)]
pub struct EventReader(Vec<u8>);

impl EventReader {
    /// What arrived, cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next event that has arrived whole; what keeps the line alive is none.
    ///
    /// # Panics
    /// When it is no text.
    pub fn take(&mut self) -> Option<StreamEvent> {
        loop {
            let end = self.0.windows(2).position(|two| two == b"\n\n")?;
            let lines: Vec<u8> = self.0.drain(..end + 2).collect();
            let mut event = StreamEvent::default();
            for line in std::str::from_utf8(&lines).expect("UTF-8").lines() {
                let Some((field, value)) = line.split_once(':') else { continue };
                let value = value.trim_start().to_owned();
                match field {
                    "event" => event.name = value,
                    "id" => event.id = value,
                    "data" => event.data = value,
                    _ => {}
                }
            }
            if event != StreamEvent::default() {
                return Some(event);
            }
        }
    }
}
