package sh.fazt.membership;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.membership.v1.Metadata;
import sh.fazt.protocol.membership.v1.Packet;
import sh.fazt.protocol.membership.v1.State;

/** Claims and packets as protobuf. A peer's bytes are not trusted: what does not fit is left out or refused. */
final class MembershipCodec {
    /** Far above what a swarm of a few hundred members needs. */
    private static final int MAX_BYTES = 1 << 20;

    private static final int MAX_CLAIMS = 2_000;
    private static final int MAX_ACCUSERS = 16;
    private static final int ID_BYTES = 32;

    private MembershipCodec() {}

    /** The packet, or null when the bytes are none. */
    static @Nullable Packet packet(byte[] bytes) {
        if (bytes.length > MAX_BYTES) {
            return null;
        }
        try {
            Packet packet = Packet.parseFrom(bytes);
            boolean fits =
                    packet.getBodyCase() != Packet.BodyCase.BODY_NOT_SET && packet.getClaimsCount() <= MAX_CLAIMS;
            return fits ? packet : null;
        } catch (InvalidProtocolBufferException e) {
            return null;
        }
    }

    /** The id, or null when it has another length. */
    static @Nullable NodeId id(ByteString bytes) {
        return bytes.size() == ID_BYTES ? NodeId.of(bytes.toByteArray()) : null;
    }

    static ByteString bytes(NodeId id) {
        return ByteString.copyFrom(id.bytes());
    }

    /** The claim, or null when it has a state of a later version or values out of bounds. */
    static @Nullable Claim claim(sh.fazt.protocol.membership.v1.Claim wire) {
        NodeId id = id(wire.getId());
        MemberState state = state(wire.getState());
        if (id == null || state == null || wire.getIncarnation() < 0 || wire.getAccusersCount() > MAX_ACCUSERS) {
            return null;
        }
        List<NodeId> accusers = new ArrayList<>(wire.getAccusersCount());
        for (ByteString bytes : wire.getAccusersList()) {
            NodeId accuser = id(bytes);
            if (accuser == null) {
                return null;
            }
            accusers.add(accuser);
        }
        MemberMetadata metadata = null;
        if (wire.hasMetadata()) {
            Metadata said = wire.getMetadata();
            try {
                metadata = new MemberMetadata(
                        said.getName(),
                        said.getHttpAddress(),
                        said.getSwarmAddressesList(),
                        said.getVersion(),
                        said.getValuesMap());
            } catch (IllegalArgumentException tooLarge) {
                return null;
            }
        }
        return new Claim(id, state, wire.getIncarnation(), accusers, metadata, wire.getMetadataIncarnation());
    }

    static sh.fazt.protocol.membership.v1.Claim wire(Claim claim) {
        var wire = sh.fazt.protocol.membership.v1.Claim.newBuilder()
                .setId(bytes(claim.id()))
                .setState(wire(claim.state()))
                .setIncarnation(claim.incarnation());
        for (NodeId accuser : claim.accusers()) {
            wire.addAccusers(bytes(accuser));
        }
        MemberMetadata metadata = claim.metadata();
        if (metadata != null) {
            wire.setMetadata(Metadata.newBuilder()
                            .setName(metadata.name())
                            .setHttpAddress(metadata.httpAddress())
                            .addAllSwarmAddresses(metadata.swarmAddresses())
                            .setVersion(metadata.version())
                            .putAllValues(metadata.values()))
                    .setMetadataIncarnation(claim.metadataIncarnation());
        }
        return wire.build();
    }

    private static @Nullable MemberState state(State wire) {
        return switch (wire) {
            case STATE_ALIVE -> MemberState.ALIVE;
            case STATE_SUSPECT -> MemberState.SUSPECT;
            case STATE_AWAY -> MemberState.AWAY;
            case STATE_DEAD -> MemberState.DEAD;
            case STATE_LEFT -> MemberState.LEFT;
            case STATE_UNSPECIFIED, UNRECOGNIZED -> null;
        };
    }

    private static State wire(MemberState state) {
        return switch (state) {
            case ALIVE -> State.STATE_ALIVE;
            case SUSPECT -> State.STATE_SUSPECT;
            case AWAY -> State.STATE_AWAY;
            case DEAD -> State.STATE_DEAD;
            case LEFT -> State.STATE_LEFT;
        };
    }
}
