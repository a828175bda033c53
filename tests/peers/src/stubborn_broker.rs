//! A broker that can be told to misbehave: never answer CONNECT, refuse it, or accept and then acknowledge nothing.
//! Speaks just enough MQTT 3.1.1 for a publisher at QoS 1. Keeps what was published.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How it behaves, from the next packet on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Acknowledges everything.
    Good,
    /// Accepts TCP and never answers CONNECT.
    Mute,
    /// Answers CONNECT with this return code (MQTT 3.1.1, table 3.1) and closes.
    Refusing(u8),
    /// Accepts CONNECT, answers pings, acknowledges no publish.
    Wedged,
}

/// A publish as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// Whether it is to be retained.
    pub retain: bool,
    /// Which connection it came on, the first is 1.
    pub connection: usize,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    connections: usize,
    published: Vec<Publish>,
}

/// The broker. Its threads end with their connections.
#[derive(Clone, Debug)]
pub struct StubbornBroker {
    /// Where it listens, on loopback.
    pub port: u16,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl StubbornBroker {
    /// Starts on a free port.
    ///
    /// # Errors
    /// If it cannot listen.
    pub fn start(mood: Mood) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let state = State {
            mood,
            connections: 0,
            published: Vec::new(),
        };
        let broker = Self {
            port: listener.local_addr()?.port(),
            state: Arc::new((Mutex::new(state), Condvar::new())),
        };
        let accepting = broker.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let broker = accepting.clone();
                let connection = {
                    let mut state = broker.lock();
                    state.connections += 1;
                    state.connections
                };
                broker.state.1.notify_all();
                // An error is the end of that connection, which the client brought about.
                thread::spawn(move || broker.serve(stream, connection).ok());
            }
        });
        Ok(broker)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes its mood.
    pub fn turn(&self, mood: Mood) {
        self.lock().mood = mood;
    }

    /// Waits until so many connections were made.
    ///
    /// # Errors
    /// `TimedOut` after 20 s.
    pub fn wait_connections(&self, count: usize) -> io::Result<()> {
        self.wait(|state| state.connections >= count).map(drop)
    }

    /// Waits until `enough` holds for the publishes so far, and returns them.
    ///
    /// # Errors
    /// `TimedOut` after 20 s.
    pub fn wait_published(&self, enough: impl Fn(&[Publish]) -> bool) -> io::Result<Vec<Publish>> {
        self.wait(|state| enough(&state.published))
            .map(|state| state.published.clone())
    }

    fn wait(&self, enough: impl Fn(&State) -> bool) -> io::Result<MutexGuard<'_, State>> {
        let limit = Duration::from_secs(20);
        let (state, over) = self
            .state
            .1
            .wait_timeout_while(self.lock(), limit, |state| !enough(state))
            .unwrap_or_else(PoisonError::into_inner);
        if over.timed_out() {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("{} connections", state.connections),
            ));
        }
        Ok(state)
    }

    fn serve(&self, mut stream: TcpStream, connection: usize) -> io::Result<()> {
        loop {
            let (header, body) = packet(&mut stream)?;
            let mood = self.lock().mood;
            match (header >> 4, mood) {
                (1, Mood::Mute) => {}
                (1, Mood::Refusing(code)) => return stream.write_all(&[0x20, 2, 0, code]),
                (1, Mood::Good | Mood::Wedged) => stream.write_all(&[0x20, 2, 0, 0])?,
                (3, _) => {
                    let identifier = self.note(header, &body, connection)?;
                    if mood == Mood::Good {
                        let [high, low] = identifier;
                        stream.write_all(&[0x40, 2, high, low])?;
                    }
                }
                (12, _) => stream.write_all(&[0xD0, 0])?,
                (14, _) => return Ok(()),
                _ => {}
            }
        }
    }

    fn note(&self, header: u8, body: &[u8], connection: usize) -> io::Result<[u8; 2]> {
        let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let (length, rest) = body.split_first_chunk::<2>().ok_or_else(short)?;
        let (topic, rest) = rest
            .split_at_checked(usize::from(u16::from_be_bytes(*length)))
            .ok_or_else(short)?;
        let (identifier, payload) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        self.lock().published.push(Publish {
            topic: String::from_utf8_lossy(topic).into_owned(),
            payload: payload.to_vec(),
            retain: header & 1 == 1,
            connection,
        });
        self.state.1.notify_all();
        Ok(*identifier)
    }
}

/// One packet: first byte and body (MQTT 3.1.1, 2.2).
fn packet(stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let [header] = bytes(stream)?;
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let [digit] = bytes(stream)?;
        length |= usize::from(digit & 0x7F) << shift;
        shift += 7;
        if digit & 0x80 == 0 || shift > 21 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((header, body))
}

fn bytes<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
