//! STANDIN
#![allow(missing_docs, missing_debug_implementations, clippy::all, clippy::pedantic, clippy::allow_attributes_without_reason)]
use schema::event::FileMode;
use std::path::PathBuf;
    Door,
    Gateway,
    Model,
}
    pub role: Role,
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub connect: bool,
}
    Ok(())
}
pub enum Report {
    FileOpened { path: PathBuf, mode: FileMode },
    FileRefused { path: PathBuf, mode: FileMode, errno: i32 },
    SystemCallRefused { name: String },
}
impl Report {
    pub fn decode(_: &[u8]) -> Option<Self> {
        None
    }
}
