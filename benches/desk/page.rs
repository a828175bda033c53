//! A browser at the page, as far as the figures need one: TLS with the gateway's own certificate, one account, the stream.

use crate::{
    report::{Failure, now},
    site::Gateway,
};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Instant,
};

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// Who is signed in.
pub(super) struct Page {
    address: String,
    tls: Arc<ClientConfig>,
    cookie: String,
}

impl Page {
    /// Makes the first account.
    pub(super) fn sign_in(gateway: &Gateway) -> Result<Self, Failure> {
        let address = gateway.told("/sections/page/listening")?;
        let address = address
            .as_ref()
            .and_then(Value::as_str)
            .ok_or("no page is served")?;
        let mut roots = RootCertStore::empty();
        let certificate = gateway.config()?.state_dir.join("page.pem");
        for certificate in CertificateDer::pem_file_iter(certificate)? {
            roots.add(certificate?)?;
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut page = Self {
            address: address.to_owned(),
            tls: Arc::new(tls),
            cookie: String::new(),
        };
        let (_, first) = gateway.ask("GET", "/v1/staff/first", &Value::Null)?;
        let first =
            json!({ "code": first.get("code"), "name": "bench", "password": "correct horse battery" });
        let answer = page.answer("POST", "/api/v1/session/first", &first)?;
        let cookie = answer
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
        page.cookie = cookie.ok_or("nobody could sign in")?.to_owned();
        Ok(page)
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Tls, Failure> {
        let socket = TcpStream::connect(&self.address)?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), name)?, socket);
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-doorward: 1\r\ncookie: {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.cookie,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        Ok(stream)
    }

    fn answer(&self, method: &str, path: &str, body: &Value) -> Result<String, Failure> {
        let mut stream = self.send(method, path, body)?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            // The gateway ends the connection without a farewell of TLS; the length says that all is there.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(error.into()),
        }
        Ok(String::from_utf8(answer)?)
    }

    /// Asks, and must be answered with 200.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.answer("POST", path, body)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("{path}: {answer}").into());
        }
        Ok(serde_json::from_str(body)?)
    }

    /// What happens, from now on.
    pub(super) fn live(&self) -> Result<Live, Failure> {
        Ok(Live {
            stream: self.send("GET", "/api/v1/live", &Value::Null)?,
            text: String::new(),
        })
    }
}

/// The stream of what happens.
pub(super) struct Live {
    stream: Tls,
    text: String,
}

impl Live {
    /// The next message of this name, and when it was here.
    pub(super) fn next(&mut self, name: &str) -> Result<(Instant, Value), Failure> {
        let begin = format!("event: {name}\ndata: ");
        loop {
            if let Some((_, rest)) = self.text.split_once(&begin)
                && let Some((data, after)) = rest.split_once("\n\n")
            {
                let value = serde_json::from_str(data)?;
                self.text = after.to_owned();
                return Ok((now(), value));
            }
            let mut more = [0; 16_384];
            let length = self.stream.read(&mut more)?;
            if length == 0 {
                return Err(format!("the stream ended before {name}").into());
            }
            self.text
                .push_str(&String::from_utf8_lossy(more.get(..length).unwrap_or_default()));
        }
    }
}
