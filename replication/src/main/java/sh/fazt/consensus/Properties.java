package sh.fazt.consensus;

import java.nio.file.Path;
import org.apache.ratis.conf.RaftProperties;

/** Ratis' settings, each with its reason in consensus.md section 8. */
final class Properties {
    private Properties() {}

    static RaftProperties make(Path directory, Timings timings) {
        RaftProperties properties = new RaftProperties();
        String[] settings = {
            "raft.rpc.type", LinkRpcType.class.getName(),
            "raft.server.storage.dir", directory.toString(),
            "raft.server.removed.groups.dir",
                    directory
                            .resolveSibling(directory.getFileName() + "-removed")
                            .toString(),
            "raft.server.rpc.timeout.min", timings.electionMin().toMillis() + "ms",
            "raft.server.rpc.timeout.max", timings.electionMax().toMillis() + "ms",
            "raft.server.rpc.first-election.timeout.min", "100ms",
            "raft.server.rpc.first-election.timeout.max", "400ms",
            "raft.server.rpc.request.timeout", "10s",
            "raft.server.rpc.sleep.time", "500ms",
            "raft.server.leaderelection.pre-vote", "true",
            "raft.server.leaderelection.leader.step-down.wait-time", "2s",
            "raft.server.close.threshold", "3650d",
            "raft.server.sleep.deviation.threshold", "2s",
            "raft.server.staging.timeout", "20s",
            "raft.server.staging.catchup.gap", "1",
            "raft.server.log.segment.size.max", "256KB",
            "raft.server.log.preallocated.size", "16KB",
            "raft.server.log.segment.cache.num.max", "2",
            "raft.server.log.segment.cache.size.max", "1MB",
            "raft.server.log.appender.buffer.byte-limit", "256KB",
            "raft.server.log.write.buffer.size", "300KB",
            "raft.server.log.queue.byte-limit", "4MB",
            "raft.server.write.byte-limit", "4MB",
            "raft.server.log.appender.snapshot.chunk.size.max", "128KB",
            "raft.server.log.purge.gap", "1",
            "raft.server.log.purge.upto.snapshot.index", "true",
            "raft.server.snapshot.auto.trigger.enabled", "true",
            "raft.server.snapshot.auto.trigger.threshold", "200",
            "raft.server.snapshot.retention.file.num", "2",
            "raft.server.read.option", "DEFAULT"
        };
        for (int i = 0; i < settings.length; i += 2) {
            properties.set(settings[i], settings[i + 1]);
        }
        return properties;
    }
}
