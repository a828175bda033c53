//! A TCP relay between the gateway and a peer, for the faults of a network: cut, closed, or deaf in one direction.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// The relay. Its threads end with their connections.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Where it listens, on loopback.
    pub port: u16,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    target: u16,
    open: AtomicBool,
    deaf: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// Starts, open, towards a port on loopback.
    ///
    /// # Errors
    /// If it cannot listen.
    pub fn start(target: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let relay = Self {
            port: listener.local_addr()?.port(),
            inner: Arc::new(Inner {
                target,
                open: AtomicBool::new(true),
                deaf: AtomicBool::new(false),
                streams: Mutex::default(),
            }),
        };
        let accepting = relay.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if accepting.inner.open.load(Ordering::SeqCst) {
                    // A peer that is not there is a connection that closes at once.
                    let _ = accepting.join(stream);
                }
            }
        });
        Ok(relay)
    }

    fn join(&self, client: TcpStream) -> io::Result<()> {
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.inner.target))?;
        let mut streams = self.inner.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.extend([client.try_clone()?, server.try_clone()?]);
        drop(streams);
        let (relay, from, to) = (self.clone(), client.try_clone()?, server.try_clone()?);
        thread::spawn(move || relay.copy(from, to, false));
        let relay = self.clone();
        thread::spawn(move || relay.copy(server, client, true));
        Ok(())
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream, back: bool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if back && self.inner.deaf.load(Ordering::SeqCst) {
                continue;
            }
            if buffer
                .get(..count)
                .is_none_or(|bytes| to.write_all(bytes).is_err())
            {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both); // gone already is as good
    }

    /// Drops what the peer answers from now on; what the gateway says still arrives there.
    pub fn deafen(&self, deaf: bool) {
        self.inner.deaf.store(deaf, Ordering::SeqCst);
    }

    /// Cuts every connection and closes new ones at once, until [`Self::open`].
    pub fn cut(&self) {
        self.inner.open.store(false, Ordering::SeqCst);
        for stream in self
            .inner
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            let _ = stream.shutdown(Shutdown::Both); // gone already is as good
        }
    }

    /// Lets new connections through again.
    pub fn open(&self) {
        self.inner.open.store(true, Ordering::SeqCst);
    }
}
