//! Links of unpacked packages.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Makes links from `/` relative, where their target was unpacked too: `/etc/java-17-openjdk/net.properties`.
pub(super) fn keep_inside(root: &Path) -> io::Result<()> {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_symlink() {
                mend(&entry.path(), &folder, root)?;
            }
        }
    }
    Ok(())
}

fn mend(link: &Path, folder: &Path, root: &Path) -> io::Result<()> {
    let target = fs::read_link(link)?;
    let Ok(inside) = target.strip_prefix("/") else { return Ok(()) };
    // The target may itself be a link that is mended later: whether it leads somewhere is not the question.
    if fs::symlink_metadata(root.join(inside)).is_err() {
        return Ok(());
    }
    let up = folder.strip_prefix(root).map_or(0, |below| below.components().count());
    let relative: PathBuf = std::iter::repeat_n("..", up).collect::<PathBuf>().join(inside);
    fs::remove_file(link)?;
    symlink(relative, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_into_what_was_unpacked_stay_inside_and_others_are_left() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::create_dir_all(path("usr/lib/conf")).unwrap();
        fs::create_dir_all(path("etc/rashomon-test")).unwrap();
        fs::write(path("etc/rashomon-test/x"), "inside").unwrap();
        symlink("/etc/rashomon-test/x", path("usr/lib/conf/x")).unwrap();
        symlink("/etc/rashomon-test", path("usr/lib/folder")).unwrap();
        symlink("/etc/hostname", path("usr/lib/outside")).unwrap();
        keep_inside(root.path()).unwrap();
        assert_eq!(fs::read_to_string(path("usr/lib/conf/x")).unwrap(), "inside");
        assert_eq!(fs::read_to_string(path("usr/lib/folder/x")).unwrap(), "inside");
        assert_eq!(fs::read_link(path("usr/lib/outside")).unwrap(), Path::new("/etc/hostname"));
    }
}
