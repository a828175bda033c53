//! The kernel's own NFC driver takes an ACR122U away from pcscd (nfc-tools/libnfc #402 and others). It can be seen in /sys.

use std::{fs, path::Path};

/// USB interfaces that pn533_usb holds.
pub(super) fn pn533_holds(sys: &Path) -> usize {
    let bound = fs::read_dir(sys.join("bus/usb/drivers/pn533_usb"));
    // Interfaces have a colon in their names (1-1.2:1.0), the driver's own files have none.
    let interfaces = bound.into_iter().flatten().flatten();
    interfaces
        .filter(|entry| entry.file_name().to_string_lossy().contains(':'))
        .count()
}

/// What to do about it.
pub(super) const WORDS: &str = "a USB reader (ACR122U) is held by the kernel's driver pn533_usb, so pcscd cannot use it: run \
     `modprobe -r pn533_usb` and plug the reader in anew; the package keeps the driver away from the next start on \
     (/usr/lib/modprobe.d/doorward-desk.conf)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_the_kernel_took_is_seen() {
        let sys = tempfile::tempdir().unwrap();
        assert_eq!(pn533_holds(sys.path()), 0, "no such driver");
        let driver = sys.path().join("bus/usb/drivers/pn533_usb");
        fs::create_dir_all(driver.join("module")).unwrap();
        fs::write(driver.join("bind"), "").unwrap();
        assert_eq!(pn533_holds(sys.path()), 0);
        fs::create_dir(driver.join("1-1.2:1.0")).unwrap();
        assert_eq!(pn533_holds(sys.path()), 1);
    }
}
