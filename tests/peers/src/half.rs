//! Answers that break off, for simulators with faults.

use axum::body::Bytes;
use hyper::body::Frame;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

/// A body that breaks off, after what there is of it has left.
pub(crate) struct Half(Option<Bytes>, bool);

impl Half {
    /// The first `length` bytes of a body, and then no more.
    pub(crate) fn of(body: &[u8], length: usize) -> Self {
        let half = body.get(..length).unwrap_or_default();
        Self(Some(Bytes::copy_from_slice(half)), false)
    }
}

impl hyper::body::Body for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(half) = self.0.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !std::mem::replace(&mut self.1, true) {
            // Whoever waits for more flushes first.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("cut off on purpose"))))
    }
}
