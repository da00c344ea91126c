package sh.fazt.cartridge;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteException;

/**
 * One connection with its prepared statements; what SQLite reports becomes a {@link CartridgeException}
 * with a reason. Confined to one thread at a time.
 */
final class Session implements Rows, AutoCloseable {
    /** Statements differ by place in the code, not by data: this many is all of them. */
    private static final int STATEMENTS = 256;

    private final Connection connection;
    private final Map<String, PreparedStatement> statements = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<String, Set<String>> written = new HashMap<>();

    Session(Connection connection) {
        this.connection = connection;
    }

    Connection connection() {
        return connection;
    }

    @Override
    public <T> List<T> query(String sql, RowMapper<T> mapper, @Nullable Object... args) {
        List<T> rows = new ArrayList<>();
        each(sql, row -> rows.add(mapper.map(row)), args);
        return rows;
    }

    /** Rows changed since it was opened, those that were rolled back among them. */
    long changes() {
        return first("SELECT total_changes()", row -> row.integer(0)).orElseThrow();
    }

    @Override
    public <T> Optional<T> first(String sql, RowMapper<T> mapper, @Nullable Object... args) {
        PreparedStatement statement = take(sql);
        boolean spoiled = false;
        try {
            bind(statement, args);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? Optional.ofNullable(mapper.map(new Current(rows))) : Optional.empty();
            }
        } catch (SQLException e) {
            spoiled = true;
            throw failure(sql, e);
        } finally {
            give(sql, statement, spoiled);
        }
    }

    /** What is done with each row. */
    interface RowSink {
        void row(ResultRow row);
    }

    /** Streams the rows: nothing is kept. */
    void each(String sql, RowSink sink, @Nullable Object... args) {
        PreparedStatement statement = take(sql);
        boolean spoiled = false;
        try {
            bind(statement, args);
            try (ResultSet rows = statement.executeQuery()) {
                Current current = new Current(rows);
                while (rows.next()) {
                    sink.row(current);
                }
            }
        } catch (SQLException e) {
            spoiled = true;
            throw failure(sql, e);
        } finally {
            give(sql, statement, spoiled);
        }
    }

    int update(String sql, @Nullable Object... args) {
        PreparedStatement statement = take(sql);
        boolean spoiled = false;
        try {
            bind(statement, args);
            return statement.executeUpdate();
        } catch (SQLException e) {
            spoiled = true;
            throw failure(sql, e);
        } finally {
            give(sql, statement, spoiled);
        }
    }

    /**
     * The tables that a statement writes, as SQLite's own program for it says; asked once for each text. A schema
     * that changes under the same text is not noticed: it changes at open only.
     */
    Set<String> written(String sql) {
        Set<String> known = written.get(sql);
        if (known == null) {
            Set<Long> roots = new HashSet<>();
            each("EXPLAIN " + sql, row -> {
                String operation = row.text(1);
                if (operation.equals("OpenWrite")) {
                    roots.add(row.integer(3));
                } else if (operation.equals("Clear")) {
                    roots.add(row.integer(2));
                }
            });
            known = new LinkedHashSet<>();
            for (long root : roots) {
                known.addAll(query("SELECT tbl_name FROM sqlite_master WHERE rootpage = ?", row -> row.text(0), root));
            }
            written.put(sql, known);
        }
        return known;
    }

    /** Runs a script of statements that take no arguments. */
    void script(String sql) {
        try (java.sql.Statement statement = connection.createStatement()) {
            statement.executeUpdate(sql);
        } catch (SQLException e) {
            throw failure(sql, e);
        }
    }

    private PreparedStatement take(String sql) {
        PreparedStatement cached = statements.remove(sql);
        try {
            return cached != null ? cached : connection.prepareStatement(sql);
        } catch (SQLException e) {
            throw failure(sql, e);
        }
    }

    /** The driver can't use a statement again that failed. */
    private void give(String sql, PreparedStatement statement, boolean spoiled) {
        PreparedStatement other = spoiled ? statement : statements.put(sql, statement);
        try {
            if (other != null) {
                other.close();
            }
            if (statements.size() > STATEMENTS) {
                var eldest = statements.entrySet().iterator();
                PreparedStatement oldest = eldest.next().getValue();
                eldest.remove();
                oldest.close();
            }
        } catch (SQLException e) {
            throw failure(sql, e);
        }
    }

    private static void bind(PreparedStatement statement, @Nullable Object... args) throws SQLException {
        for (int i = 0; i < args.length; i++) {
            Object value = args[i];
            if (value == null) {
                statement.setObject(i + 1, null);
            } else if (value instanceof String text) {
                statement.setString(i + 1, text);
            } else if (value instanceof Long number) {
                statement.setLong(i + 1, number);
            } else if (value instanceof Integer number) {
                statement.setInt(i + 1, number);
            } else if (value instanceof byte[] bytes) {
                statement.setBytes(i + 1, bytes);
            } else if (value instanceof Double real) {
                statement.setDouble(i + 1, real);
            } else if (value instanceof Boolean bool) {
                statement.setInt(i + 1, bool ? 1 : 0);
            } else {
                throw new IllegalArgumentException(
                        "an argument is Long, Integer, Double, String, byte[], Boolean or null, not "
                                + value.getClass().getName());
            }
        }
    }

    /** What a caller can do about it; a mistake in our SQL is a programmer's error. */
    static RuntimeException failure(String what, SQLException e) {
        if (e instanceof SQLiteException sqlite) {
            switch (sqlite.getResultCode().code & 0xff) {
                case 13:
                    return new CartridgeException(
                            CartridgeException.Reason.NOT_WRITABLE,
                            "the disk under the cartridge is full: nothing was written; free some space",
                            e);
                case 8, 10, 14:
                    return new CartridgeException(
                            CartridgeException.Reason.NOT_WRITABLE,
                            "the cartridge can't be written (" + e.getMessage()
                                    + "): nothing was written; check the file, its folder and its disk",
                            e);
                case 11, 26:
                    return new CartridgeException(
                            CartridgeException.Reason.DAMAGED,
                            "the cartridge is damaged or is no SQLite file (" + e.getMessage() + "): restore a backup",
                            e);
                default:
                    break;
            }
        }
        return new IllegalStateException(e.getMessage() + " in: " + what, e);
    }

    @Override
    public void close() {
        try {
            for (PreparedStatement statement : statements.values()) {
                statement.close();
            }
            statements.clear();
            connection.close();
        } catch (SQLException e) {
            throw failure("close", e);
        }
    }

    private record Current(ResultSet rows) implements ResultRow {
        @Override
        public long integer(int column) {
            try {
                return rows.getLong(column + 1);
            } catch (SQLException e) {
                throw failure("column " + column, e);
            }
        }

        @Override
        public double real(int column) {
            try {
                return rows.getDouble(column + 1);
            } catch (SQLException e) {
                throw failure("column " + column, e);
            }
        }

        @Override
        public String text(int column) {
            String text = textOrNull(column);
            if (text == null) {
                throw new IllegalStateException("column " + column + " is NULL");
            }
            return text;
        }

        @Override
        public @Nullable String textOrNull(int column) {
            try {
                return rows.getString(column + 1);
            } catch (SQLException e) {
                throw failure("column " + column, e);
            }
        }

        @Override
        public byte[] bytes(int column) {
            byte[] bytes = bytesOrNull(column);
            if (bytes == null) {
                throw new IllegalStateException("column " + column + " is NULL");
            }
            return bytes;
        }

        @Override
        public byte @Nullable [] bytesOrNull(int column) {
            try {
                return rows.getBytes(column + 1);
            } catch (SQLException e) {
                throw failure("column " + column, e);
            }
        }

        @Override
        public boolean isNull(int column) {
            try {
                return rows.getObject(column + 1) == null;
            } catch (SQLException e) {
                throw failure("column " + column, e);
            }
        }

        /** The value as it is stored: {@code Long, Double, String, byte[]} or null. */
        @Nullable
        Object value(int column) {
            try {
                Object value = rows.getObject(column + 1);
                return value instanceof Integer number ? (Object) number.longValue() : value;
            } catch (SQLException e) {
                throw failure("column " + column, e);
            }
        }
    }

    /** The value of a row that came from here, as it is stored. */
    static @Nullable Object value(ResultRow row, int column) {
        return ((Current) row).value(column);
    }
}
