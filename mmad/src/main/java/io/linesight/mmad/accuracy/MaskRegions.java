package io.linesight.mmad.accuracy;

import java.util.Arrays;

/**
 * The 8-connected regions of one ground-truth mask. A flood fill of our own: masks are all but empty, and filling the
 * few regions takes a quarter of the time of OpenCV's labelling of every pixel (103 against 408 microseconds).
 */
final class MaskRegions {
    /** Region of each pixel, 0 = background, else 1..count. */
    final int[] label;

    final int count;
    /** Pixels of each region; index 0 unused. */
    final int[] area;

    private MaskRegions(int[] label, int count, int[] area) {
        this.label = label;
        this.count = count;
        this.area = area;
    }

    static MaskRegions of(byte[] mask, int width, int height) {
        int[] label = new int[mask.length];
        int[] area = new int[16];
        int[] stack = new int[64];
        int count = 0;
        for (int start = 0; start < mask.length; start++) {
            if (mask[start] == 0 || label[start] != 0) continue;
            count++;
            if (count == area.length) area = Arrays.copyOf(area, 2 * count);
            int top = 0;
            stack[top++] = start;
            label[start] = count;
            while (top > 0) {
                int at = stack[--top];
                area[count]++;
                int y = at / width;
                int x = at - y * width;
                for (int ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
                    for (int nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
                        int n = ny * width + nx;
                        if (mask[n] == 0 || label[n] != 0) continue;
                        label[n] = count;
                        if (top == stack.length) stack = Arrays.copyOf(stack, 2 * top);
                        stack[top++] = n;
                    }
                }
            }
        }
        return new MaskRegions(label, count, area);
    }
}
