package sh.fazt.swarm;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.swarm.v1.EvictionRecord;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.PlacementRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;
import sh.fazt.protocol.swarm.v1.TokenRecord;

/** The agreed records as types. Thread-safe. */
final class Records {
    static final String SWARM = "swarm";
    static final String MEMBER = "member";
    static final String TOKEN = "token";
    static final String ALIAS = "alias";
    static final String EVICTED = "evicted";
    static final String PLACEMENT = "placement";

    /** Kinds that stay when a cartridge goes on in a swarm of its own. */
    static final Set<String> KEPT = Set.of(SWARM, ALIAS);

    private final SwarmConfig config;

    Records(SwarmConfig config) {
        this.config = config;
    }

    @Nullable
    ConfigEntry entry(String kind, String key) {
        return config.get(kind, key).orElse(null);
    }

    /** Every record of a kind whose keys are nodes. */
    Map<NodeId, ConfigEntry> entries(String kind) {
        Map<NodeId, ConfigEntry> entries = new LinkedHashMap<>();
        config.list(kind).forEach(entry -> entries.put(NodeId.parse(entry.key()), entry));
        return entries;
    }

    /** Null while nothing is agreed. */
    @Nullable
    SwarmRecord swarm() {
        ConfigEntry entry = entry(SWARM, SWARM);
        try {
            return entry == null ? null : SwarmRecord.parseFrom(entry.value());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("the swarm's record is damaged", e);
        }
    }

    Map<NodeId, MemberRecord> members() {
        Map<NodeId, MemberRecord> members = new LinkedHashMap<>();
        for (ConfigEntry entry : config.list(MEMBER)) {
            try {
                members.put(NodeId.parse(entry.key()), MemberRecord.parseFrom(entry.value()));
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalStateException("the record of member " + entry.key() + " is damaged", e);
            }
        }
        return members;
    }

    Map<NodeId, EvictionRecord> evicted() {
        Map<NodeId, EvictionRecord> evicted = new LinkedHashMap<>();
        for (ConfigEntry entry : config.list(EVICTED)) {
            try {
                evicted.put(NodeId.parse(entry.key()), EvictionRecord.parseFrom(entry.value()));
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalStateException("the record of evicted node " + entry.key() + " is damaged", e);
            }
        }
        return evicted;
    }

    /** By app id. */
    Map<String, PlacementRecord> placements() {
        Map<String, PlacementRecord> placements = new LinkedHashMap<>();
        for (ConfigEntry entry : config.list(PLACEMENT)) {
            try {
                placements.put(entry.key(), PlacementRecord.parseFrom(entry.value()));
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalStateException("the placement of app " + entry.key() + " is damaged", e);
            }
        }
        return placements;
    }

    static TokenRecord token(ConfigEntry entry) {
        try {
            return TokenRecord.parseFrom(entry.value());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("the record of token " + entry.key() + " is damaged", e);
        }
    }
}
