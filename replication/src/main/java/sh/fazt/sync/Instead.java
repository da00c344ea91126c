package sh.fazt.sync;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Merge;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * What other members hold of a scope, merged: what is put in the place of an evicted node's rows. Confined to one turn of
 * {@link Cuts}.
 */
final class Instead {
    private final Map<Place, Row> rows = new HashMap<>();
    private final Set<NodeId> members = new HashSet<>();
    /** Whatever is covered is in the rows, or was superseded. */
    private VersionVector merged = VersionVector.EMPTY;

    private VersionVector vouched = VersionVector.EMPTY;

    private record Place(
            String table, ByteBuffer key, @Nullable Origin share) {
        static Place of(Row row) {
            return new Place(
                    row.table(),
                    ByteBuffer.wrap(RowCodec.key(row.key())),
                    row.counter() ? row.stamp().origin() : null);
        }
    }

    /**
     * Adds what a member holds.
     *
     * @param vector its vector, up to the fences
     * @param whole  whether it has no row beyond a fence. Else such a row may be where another member's was: that it has
     *     seen that one does not say that it is among these. So it vouches for nothing but what it wrote itself: who else
     *     should have that?
     */
    void add(NodeId member, VersionVector vector, List<Row> more, boolean whole) {
        members.add(member);
        VersionVector known = merged;
        more.forEach(row -> rows.merge(Place.of(row), row, (here, in) -> merge(known, vector, here, in)));
        if (whole) {
            merged = merged.merge(vector);
        }
        vouched = vouched.merge(whole ? vector : vector.by(member));
    }

    private static Row merge(VersionVector known, VersionVector vector, Row here, Row in) {
        if (Document.is(here.columns()) && Document.is(in.columns())) {
            return Document.merge(known, vector, Document.of(here), Document.of(in))
                    .document()
                    .row(in.table(), in.key());
        }
        return Merge.decide(known, vector, here.stamp(), in.stamp()).takes() ? in : here;
    }

    /** Whose it is. */
    Set<NodeId> members() {
        return members;
    }

    /** What is surely in it, unless a later row took its place. */
    VersionVector vouched() {
        return vouched;
    }

    List<Row> rows() {
        return new ArrayList<>(rows.values());
    }
}
