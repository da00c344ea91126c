/**
 * Who is in the swarm and who answers: SWIM with Lifeguard over the links.
 *
 * <p>{@link sh.fazt.membership.Membership} decides and is pure: it takes an event and the time and returns
 * what to do. {@link sh.fazt.membership.MembershipService} carries that out on the {@code swarm} thread and
 * publishes {@link sh.fazt.membership.MembersSnapshot}. Called by the swarm's facade; knows links by node
 * id and bytes only. Who may be a member is not decided here: consensus says so.
 */
@NullMarked
package sh.fazt.membership;

import org.jspecify.annotations.NullMarked;
