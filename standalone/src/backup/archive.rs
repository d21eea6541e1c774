//! A backup as one file: tar, compressed by gzip.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, EntryType};

/// Packs the folder's contents. The file is on the disk when this returns.
///
/// # Errors
/// When something cannot be read or written.
pub(super) fn pack(folder: &Path, to: &Path) -> anyhow::Result<()> {
    let pack = || -> io::Result<()> {
        let file = File::create_new(to)?;
        let mut archive = Builder::new(GzEncoder::new(BufWriter::new(file), Compression::fast()));
        archive.append_dir_all(".", folder)?;
        let mut file = archive.into_inner()?.finish()?;
        file.flush()?;
        file.get_ref().sync_all()
    };
    pack().with_context(|| format!("{} cannot be written", to.display()))
}

/// Unpacks into a new folder. Nothing leaves it, whatever the archive says.
///
/// # Errors
/// When it is no such archive, or the disk refuses.
pub(super) fn unpack(archive: &Path, to: &Path) -> anyhow::Result<()> {
    let cannot_read = || format!("{} is no backup of milena, or damaged", archive.display());
    fs::create_dir(to).with_context(|| format!("{} cannot be created", to.display()))?;
    let file = File::open(archive).with_context(|| format!("{} cannot be opened", archive.display()))?;
    let mut unpacked = Archive::new(GzDecoder::new(BufReader::new(file)));
    unpacked.set_preserve_permissions(false);
    unpacked.set_preserve_mtime(false);
    for entry in unpacked.entries().with_context(cannot_read)? {
        let mut entry = entry.with_context(cannot_read)?;
        let kind = entry.header().entry_type();
        ensure!(
            matches!(kind, EntryType::Regular | EntryType::Directory),
            "{}: it holds what no backup has",
            cannot_read()
        );
        let is_inside = entry.unpack_in(to).with_context(cannot_read)?;
        ensure!(is_inside, "{}: it holds a path that leads out of it", cannot_read());
    }
    Ok(())
}
