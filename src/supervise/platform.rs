//! What of a process and a file only Unix has.

use std::process::ExitStatus;

#[cfg(not(unix))]
pub(crate) use elsewhere::FileExt;
#[cfg(unix)]
pub(crate) use std::os::unix::fs::FileExt;

/// The signal that ended a process.
pub(crate) fn signal(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    {
        let _ = status;
        None
    }
}

/// The status that a system call has told, as the worker's copies pass it on.
pub(crate) fn from_raw(status: i32) -> ExitStatus {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::from_raw(status);
    #[cfg(not(unix))]
    {
        let _ = status;
        ExitStatus::default()
    }
}

/// No child process is started there, so that nothing is ever read from one.
#[cfg(not(unix))]
mod elsewhere {
    use std::fs::File;
    use std::io;

    pub(crate) trait FileExt {
        fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;
        fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    }

    impl FileExt for File {
        fn read_exact_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}
