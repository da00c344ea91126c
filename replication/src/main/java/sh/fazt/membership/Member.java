package sh.fazt.membership;

import sh.fazt.identity.NodeId;

/**
 * One member as this node believes it to be. Immutable.
 *
 * @param incarnation rises whenever the member speaks for itself; 0 until it was heard of
 */
public record Member(NodeId id, MemberState state, long incarnation, MemberMetadata metadata) {}
