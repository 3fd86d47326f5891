package io.linesight.trainer.patchcore;

/**
 * Divides a number fairly: everybody the same, but nobody more than there is of it, and what one cannot use goes to the
 * others.
 */
final class Shares {
    private Shares() {}

    /**
     * @param available most that each can take
     * @return shares, together the least of total and all that is available
     */
    static int[] of(int total, long[] available) {
        int[] shares = new int[available.length];
        long left = total;
        while (left > 0) {
            int open = 0;
            for (int i = 0; i < shares.length; i++) if (shares[i] < available[i]) open++;
            if (open == 0) break;
            long each = Math.max(1, left / open);
            for (int i = 0; i < shares.length && left > 0; i++) {
                int more = (int) Math.min(Math.min(each, left), available[i] - shares[i]);
                shares[i] += more;
                left -= more;
            }
        }
        return shares;
    }
}
