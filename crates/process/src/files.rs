//! How many files and connections the program may hold open.

/// Raises the soft limit of open files to the hard one, as every connection is one: shells and service
/// managers give a soft limit of 1,024 for programs from the time of `select`. Says so when that is less than
/// `wanted`.
pub fn raise_open_files(wanted: u64) {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) if limit < wanted => log::info!(
            limit, wanted;
            "fewer files may be open than connections are allowed; raise the hard limit (ulimit -Hn, \
             LimitNOFILE)"
        ),
        Ok(limit) => log::debug!(limit; "files that may be open"),
        Err(error) => log::warn!(error:% = error; "the limit of open files cannot be raised"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        raise_open_files(1);
        let (soft, hard) = rlimit::Resource::NOFILE.get().expect("the system says so");
        assert_eq!(soft, hard);
    }
}
