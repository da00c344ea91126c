package sh.fazt.consensus;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.protocol.consensus.v1.ConfigHead;
import sh.fazt.protocol.consensus.v1.FeedReply;
import sh.fazt.protocol.consensus.v1.FeedRequest;
import sh.fazt.protocol.consensus.v1.Record;
import sh.fazt.protocol.consensus.v1.SignedConfig;

/**
 * Tells observers what is agreed: everything, or what is different since the version that they have. What was removed
 * is found by looking: a key that was there at the last look and is no more went in between. Thread-safe.
 */
final class ConfigTeller {
    /** More removals than this are not kept: who is further behind gets everything, which is small. */
    private static final int REMOVALS = 1000;

    /** Every record, as of one version. */
    record State(long version, List<ConfigEntry> entries) {}

    private record Name(String kind, String key) {}

    private final NodeKey key;
    private final ConfigStore store;
    private final ConfigFeed.Facts facts;
    private final Map<Name, Long> removed = new LinkedHashMap<>();
    private Set<Name> present = Set.of();
    /** Since when removals are known; what is older is told whole. */
    private long since = Long.MAX_VALUE;

    private long seen;

    ConfigTeller(NodeKey key, ConfigStore store, ConfigFeed.Facts facts) {
        this.key = key;
        this.store = store;
        this.facts = facts;
    }

    FeedReply answer(FeedRequest request, RaftStatus status) {
        FeedReply.Builder reply = FeedReply.newBuilder()
                .setConfig(tell(request))
                .setQuorum(status.quorum())
                .setTerm(status.term());
        NodeId leader = status.leader();
        if (leader != null) {
            reply.setLeader(leader.toString());
        }
        status.voters().forEach(voter -> reply.addVoters(voter.toString()));
        status.unreachable().forEach(voter -> reply.addUnreachable(voter.toString()));
        return reply.build();
    }

    private synchronized SignedConfig tell(FeedRequest request) {
        State state = store.everything();
        look(state);
        int epoch = facts.epoch();
        SignedConfig.Builder config = SignedConfigs.sign(
                key,
                ConfigHead.newBuilder()
                        .setSwarm(facts.swarm())
                        .setEpoch(epoch)
                        .setVersion(state.version())
                        .setDigest(SignedConfigs.digest(state.entries()))
                        .build());
        boolean whole = request.getWhole()
                || request.getEpoch() != epoch
                || request.getVersion() < since
                || request.getVersion() > state.version();
        config.setWhole(whole);
        for (ConfigEntry entry : state.entries()) {
            if (whole || entry.version() > request.getVersion()) {
                config.addChanged(ConfigStore.record(entry));
            }
        }
        if (!whole) {
            removed.forEach((name, version) -> {
                if (version > request.getVersion()) {
                    config.addRemoved(Record.newBuilder().setKind(name.kind()).setKey(name.key()));
                }
            });
        }
        return config.build();
    }

    private void look(State state) {
        if (state.version() < seen) {
            // Another log: nothing that was seen holds.
            removed.clear();
            since = Long.MAX_VALUE;
        }
        Set<Name> now = new HashSet<>();
        state.entries().forEach(entry -> now.add(new Name(entry.kind(), entry.key())));
        if (since == Long.MAX_VALUE || removed.size() > REMOVALS) {
            removed.clear();
            since = state.version();
        } else {
            for (Name name : present) {
                if (!now.contains(name)) {
                    removed.put(name, state.version());
                }
            }
            removed.keySet().removeAll(now);
        }
        present = now;
        seen = state.version();
    }
}
