//! The one thread that computes, and the queue before it.

use crate::Error;
use crate::generation::{Halt, Piece, answer, pieces_max};
use crate::limits::Limits;
use crate::model_file::Model;
use crate::quiet::THREAD_PREFIX;
use crate::refusal::Refusal;
use crate::request::Request;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use tokio::sync::mpsc;

struct Job {
    request: Request,
    out: mpsc::Sender<Piece>,
}

/// Where calls are handed in.
pub(crate) struct Queue {
    jobs: SyncSender<Job>,
    pieces_max: usize,
}

impl Queue {
    /// Starts the thread; it ends when the queue is dropped.
    pub(crate) fn start(model: Model, limits: Limits) -> Result<Self, Error> {
        let (jobs, taken) = sync_channel(limits.queue);
        let name = format!("{THREAD_PREFIX}compute");
        thread::Builder::new().name(name).spawn(move || work(&model, &limits, &taken)).map_err(Error::Runtime)?;
        Ok(Self { jobs, pieces_max: pieces_max(&limits) })
    }

    /// Hands a call in. Dropping what comes back stops its answer.
    pub(crate) fn submit(&self, request: Request) -> Result<mpsc::Receiver<Piece>, Refusal> {
        let (out, pieces) = mpsc::channel(self.pieces_max);
        // The thread outlives every crash, so a queue without it cannot be; it would be refused as a full one is.
        self.jobs.try_send(Job { request, out }).map_err(|_| Refusal::overloaded())?;
        Ok(pieces)
    }
}

fn work(model: &Model, limits: &Limits, jobs: &Receiver<Job>) {
    for Job { request, out } in jobs {
        if out.is_closed() {
            continue;
        }
        // The model is only read, and an answer's own state is dropped with it.
        let done = catch_unwind(AssertUnwindSafe(|| answer(model, limits, &request, &out)));
        if let Some(refusal) = match done {
            Ok(Ok(()) | Err(Halt::Gone)) => None,
            Ok(Err(Halt::Refused(refusal))) => Some(refusal),
            Err(_) => Some(Refusal::internal()),
        } {
            let _unheard = out.try_send(Piece::Refused(refusal));
        }
    }
}
