//! Records that are appended before the node starts, such as those of a demo: the start then finds them
//! in the logs and folds them as it folds what a process left behind.

use std::collections::BTreeMap;

use anyhow::Context as _;
use frontdesk_core::{id::ConversationId, partition_of, store::Proposal};
use frontdesk_storage::{MessageLog as _, Record};
use frontdesk_storage_embedded::SegmentLog;
use prost::Message as _;

use super::{loop_count, recovery::log_options};
use crate::{config::Config, data_dir::DataDir};

/// Records of one append.
const APPEND_MAX: usize = 4_096;

/// Appends proposals to the logs of their conversations, in order. The node must not run.
pub(crate) fn append(
    config: &Config,
    data_dir: &DataDir,
    proposals: &[(ConversationId, Proposal)],
) -> anyhow::Result<()> {
    let loops = loop_count(config);
    let mut by_log: BTreeMap<u16, Vec<(u16, Vec<u8>)>> = BTreeMap::new();
    for (conversation, proposal) in proposals {
        let partition = partition_of(conversation, data_dir.installation.partitions);
        by_log.entry(partition % loops).or_default().push((partition, proposal.encode_to_vec()));
    }
    for (number, records) in by_log {
        let mut log =
            SegmentLog::open(&data_dir.log(number), log_options(config.storage.embedded()?))
                .with_context(|| format!("cannot open message log {number}"))?;
        for part in records.chunks(APPEND_MAX) {
            let records: Vec<Record<'_>> = part
                .iter()
                .map(|(partition, payload)| Record { partition: *partition, payload })
                .collect();
            log.append(&records)
                .with_context(|| format!("cannot append to message log {number}"))?;
        }
    }
    Ok(())
}
