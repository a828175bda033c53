//! pcscd's library, loaded when it is there: a gateway without a desk needs no PC/SC on its disk (decision 0018). The nine
//! calls that a desk needs, made safe; names, numbers and layouts are those of `winscard.h` and `pcsclite.h`, 1.9 to 2.x,
//! whose library has kept its version `.so.1` all along.

#![expect(
    unsafe_code,
    reason = "calls into a C library that is loaded at run time; every call is in this file and says why it is sound"
)]

use libloading::{Library as Loaded, Symbol};
use std::{
    ffi::{CStr, CString, c_char, c_long, c_ulong, c_void},
    fmt,
    time::Duration,
};

/// The library of Debian's package libpcsclite1.
const NAME: &str = "libpcsclite.so.1";
const SCOPE_SYSTEM: c_ulong = 2;
const SHARE_SHARED: c_ulong = 2;
const PROTOCOL_ANY: c_ulong = 3;
const LEAVE_CARD: c_ulong = 0;
/// The longest answer to a short APDU, with room to spare (MAX_BUFFER_SIZE).
const ANSWER: usize = 264;
/// The longest list of readers that we believe in.
const LIST: c_ulong = 64 * 1024;

/// An error of PC/SC.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) u32);

impl Code {
    pub(super) const TIMEOUT: Self = Self(0x8010_000A);
    pub(super) const UNKNOWN_READER: Self = Self(0x8010_0009);
    pub(super) const SHARING_VIOLATION: Self = Self(0x8010_000B);
    pub(super) const NO_SMARTCARD: Self = Self(0x8010_000C);
    pub(super) const READER_UNAVAILABLE: Self = Self(0x8010_0017);
    pub(super) const NO_SERVICE: Self = Self(0x8010_001D);
    pub(super) const SERVICE_STOPPED: Self = Self(0x8010_001E);
    pub(super) const NO_READERS: Self = Self(0x8010_002E);
    pub(super) const UNRESPONSIVE: Self = Self(0x8010_0066);
    pub(super) const RESET_CARD: Self = Self(0x8010_0068);
    pub(super) const REMOVED_CARD: Self = Self(0x8010_0069);
    pub(super) const SECURITY: Self = Self(0x8010_006A);
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

/// `SCARD_READERSTATE`.
#[repr(C)]
struct RawState {
    reader: *const c_char,
    user: *mut c_void,
    current: c_ulong,
    event: c_ulong,
    atr_length: c_ulong,
    atr: [u8; 33],
}

/// `SCARD_IO_REQUEST`.
#[repr(C)]
struct IoRequest {
    protocol: c_ulong,
    length: c_ulong,
}

type Establish = unsafe extern "C" fn(c_ulong, *const c_void, *const c_void, *mut c_long) -> c_long;
type Release = unsafe extern "C" fn(c_long) -> c_long;
type ListReaders = unsafe extern "C" fn(c_long, *const c_char, *mut c_char, *mut c_ulong) -> c_long;
type StatusChange = unsafe extern "C" fn(c_long, c_ulong, *mut RawState, c_ulong) -> c_long;
type Connect =
    unsafe extern "C" fn(c_long, *const c_char, c_ulong, c_ulong, *mut c_long, *mut c_ulong) -> c_long;
type Disconnect = unsafe extern "C" fn(c_long, c_ulong) -> c_long;
type Transmit = unsafe extern "C" fn(
    c_long,
    *const IoRequest,
    *const u8,
    c_ulong,
    *mut IoRequest,
    *mut u8,
    *mut c_ulong,
) -> c_long;

/// The loaded library.
pub(super) struct Library {
    establish: Establish,
    release: Release,
    list: ListReaders,
    status: StatusChange,
    connect: Connect,
    disconnect: Disconnect,
    transmit: Transmit,
    /// Keeps what the pointers point to in memory: dropped last.
    _loaded: Loaded,
}

impl Library {
    /// Loads the library.
    ///
    /// # Errors
    /// It is not there, or lacks a function.
    pub(super) fn load() -> Result<Self, libloading::Error> {
        // SAFETY: libpcsclite's initialisers only set up its locks; the types are those of its header, and the pointers
        // are used no longer than the library is kept beside them.
        unsafe {
            let loaded = Loaded::new(NAME)?;
            let library = Self {
                establish: *symbol::<Establish>(&loaded, b"SCardEstablishContext\0")?,
                release: *symbol::<Release>(&loaded, b"SCardReleaseContext\0")?,
                list: *symbol::<ListReaders>(&loaded, b"SCardListReaders\0")?,
                status: *symbol::<StatusChange>(&loaded, b"SCardGetStatusChange\0")?,
                connect: *symbol::<Connect>(&loaded, b"SCardConnect\0")?,
                disconnect: *symbol::<Disconnect>(&loaded, b"SCardDisconnect\0")?,
                transmit: *symbol::<Transmit>(&loaded, b"SCardTransmit\0")?,
                _loaded: loaded,
            };
            Ok(library)
        }
    }
}

/// # Safety
/// `T` must be the type of that function.
unsafe fn symbol<'l, T>(loaded: &'l Loaded, name: &[u8]) -> Result<Symbol<'l, T>, libloading::Error> {
    // SAFETY: the caller says that the type is right.
    unsafe { loaded.get(name) }
}

fn checked(answer: c_long) -> Result<(), Code> {
    // Errors are 32 bits wide in a long.
    #[expect(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        reason = "the lower 32 bits are the code"
    )]
    match answer as u32 {
        0 => Ok(()),
        code => Err(Code(code)),
    }
}

/// A connection to pcscd.
pub(super) struct Context<'l> {
    library: &'l Library,
    handle: c_long,
}

/// A reader to be watched: what is known of it, and what it is now.
pub(super) struct Watched {
    pub(super) reader: CString,
    /// What is known; [`Context::wait`] returns at once if it is no longer so.
    pub(super) known: u32,
    /// What it is.
    pub(super) state: u32,
}

impl<'l> Context<'l> {
    /// Connects to pcscd.
    ///
    /// # Errors
    /// `NO_SERVICE` when it does not run.
    pub(super) fn establish(library: &'l Library) -> Result<Self, Code> {
        let mut handle = 0;
        // SAFETY: the two pointers are reserved and null; `handle` lives through the call.
        checked(unsafe {
            (library.establish)(SCOPE_SYSTEM, std::ptr::null(), std::ptr::null(), &raw mut handle)
        })?;
        Ok(Self { library, handle })
    }

    /// The names of all readers.
    ///
    /// # Errors
    /// pcscd is gone. That there is no reader is no error here.
    pub(super) fn readers(&self) -> Result<Vec<CString>, Code> {
        let mut length: c_ulong = 0;
        // SAFETY: without a buffer the call only writes the length; null for the groups means all.
        let asked = unsafe {
            (self.library.list)(
                self.handle,
                std::ptr::null(),
                std::ptr::null_mut(),
                &raw mut length,
            )
        };
        match checked(asked) {
            Err(Code::NO_READERS) => return Ok(Vec::new()),
            other => other?,
        }
        // One may come between the two calls.
        length = length.saturating_add(256).min(LIST);
        let mut names = vec![0_u8; usize::try_from(length).unwrap_or(0)];
        // SAFETY: the buffer has as many bytes as `length` says, and both live through the call.
        let listed = unsafe {
            (self.library.list)(
                self.handle,
                std::ptr::null(),
                names.as_mut_ptr().cast::<c_char>(),
                &raw mut length,
            )
        };
        match checked(listed) {
            Err(Code::NO_READERS) => return Ok(Vec::new()),
            other => other?,
        }
        let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.filter_map(|name| CString::new(name).ok()).collect())
    }

    /// Waits until a reader is not as it is known to be.
    ///
    /// # Errors
    /// `TIMEOUT` when all stayed as it was; otherwise pcscd is gone.
    pub(super) fn wait(&self, watched: &mut [Watched], timeout: Duration) -> Result<(), Code> {
        let mut states: Vec<RawState> = watched
            .iter()
            .map(|one| RawState {
                reader: one.reader.as_ptr(),
                user: std::ptr::null_mut(),
                current: c_ulong::from(one.known),
                event: 0,
                atr_length: 0,
                atr: [0; 33],
            })
            .collect();
        let count = c_ulong::try_from(states.len()).unwrap_or(0);
        let timeout = c_ulong::try_from(timeout.as_millis()).unwrap_or(1_000);
        // SAFETY: `states` has `count` elements of the header's layout; the names that they point to belong to `watched`,
        // which is borrowed through the call.
        checked(unsafe { (self.library.status)(self.handle, timeout, states.as_mut_ptr(), count) })?;
        for (one, state) in watched.iter_mut().zip(&states) {
            one.state = u32::try_from(state.event & 0xFFFF_FFFF).unwrap_or(0);
        }
        Ok(())
    }

    /// Connects to the card on a reader, beside whoever else does.
    ///
    /// # Errors
    /// There is none, or it does not answer, or somebody has it alone.
    pub(super) fn connect(&self, reader: &CStr) -> Result<Card<'_>, Code> {
        let (mut handle, mut protocol) = (0, 0);
        // SAFETY: all pointers are to what lives through the call.
        checked(unsafe {
            (self.library.connect)(
                self.handle,
                reader.as_ptr(),
                SHARE_SHARED,
                PROTOCOL_ANY,
                &raw mut handle,
                &raw mut protocol,
            )
        })?;
        Ok(Card {
            library: self.library,
            handle,
            protocol,
        })
    }
}

impl Drop for Context<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is this context's own, and is not used again.
        let _ = unsafe { (self.library.release)(self.handle) };
    }
}

/// A card, for as long as this lives.
pub(super) struct Card<'l> {
    library: &'l Library,
    handle: c_long,
    protocol: c_ulong,
}

impl Card<'_> {
    /// Sends an APDU and gives the answer with its status word.
    ///
    /// # Errors
    /// The card is gone, or was reset by somebody else.
    pub(super) fn transmit(&self, apdu: &[u8]) -> Result<Vec<u8>, Code> {
        let request = IoRequest {
            protocol: self.protocol,
            length: c_ulong::try_from(size_of::<IoRequest>()).unwrap_or(16),
        };
        let mut answer = vec![0_u8; ANSWER];
        let mut length = c_ulong::try_from(answer.len()).unwrap_or(0);
        // SAFETY: lengths are those of the buffers, which live through the call; null for the second header is allowed.
        checked(unsafe {
            (self.library.transmit)(
                self.handle,
                &raw const request,
                apdu.as_ptr(),
                c_ulong::try_from(apdu.len()).unwrap_or(0),
                std::ptr::null_mut(),
                answer.as_mut_ptr(),
                &raw mut length,
            )
        })?;
        answer.truncate(usize::try_from(length).unwrap_or(0));
        Ok(answer)
    }
}

impl Drop for Card<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is this card's own, and is not used again.
        let _ = unsafe { (self.library.disconnect)(self.handle, LEAVE_CARD) };
    }
}
