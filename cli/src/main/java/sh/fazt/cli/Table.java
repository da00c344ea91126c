package sh.fazt.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows as aligned text columns, two spaces apart. Confined to main. */
final class Table {
    private final List<String[]> rows = new ArrayList<>();

    Table(String... heads) {
        rows.add(heads);
    }

    Table row(String... cells) {
        rows.add(cells);
        return this;
    }

    @Override
    public String toString() {
        int[] widths = new int[rows.get(0).length];
        for (String[] row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        StringBuilder text = new StringBuilder();
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                line.append(row[i]);
                char[] gap = new char[widths[i] - row[i].length() + 2];
                Arrays.fill(gap, ' ');
                line.append(gap);
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        text.setLength(text.length() - 1);
        return text.toString();
    }

    /** A number of bytes for people: three digits and a unit of 1024. */
    static String bytes(String count) {
        double value;
        try {
            value = Double.parseDouble(count);
        } catch (NumberFormatException e) {
            return count;
        }
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        long tenths = Math.round(value * 10);
        return (unit == 0 || tenths >= 1000 || tenths % 10 == 0
                        ? String.valueOf(Math.round(value))
                        : tenths / 10 + "." + tenths % 10)
                + " " + units[unit];
    }

    /** How long ago something was, for people: whole units of the largest that fits; {@code -} when it never was. */
    static String ago(String millis) {
        if (millis.isEmpty()) {
            return "-";
        }
        long seconds = Math.round(Double.parseDouble(millis) / 1000);
        if (seconds < 60) {
            return seconds + " s ago";
        }
        if (seconds < 3600) {
            return seconds / 60 + " min ago";
        }
        return (seconds < 86_400 ? seconds / 3600 + " h" : seconds / 86_400 + " d") + " ago";
    }
}
