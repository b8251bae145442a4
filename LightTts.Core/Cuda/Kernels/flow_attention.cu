// Attention of the flow's transformer: every query of a block of frames sees the same keys, in pages or in the block itself. Softmax as it goes
// (flash attention), tiles of keys and values copied ahead, for heads of 64 numbers in bfloat16. FRAMES: frames of a page.

#if BF16 && HEAD_DIM == 64

constexpr int TILE = 64; // keys that are looked at together
constexpr int TILE_ELEMENTS = TILE * HEAD_DIM;

// A row of a tile is 8 pieces of 16 bytes, which lie in another order in each row, so that 8 rows' pieces of one number lie in different banks.
__device__ __forceinline__ element* piece(element* tile, int row, int part) { return tile + row * HEAD_DIM + (part ^ (row & 7)) * 8; }

// qkv [2 rows frames, 3 DIM]: queries, and, where there are no pages, keys and values. pages [*, 2 DIM]: places [rows, columns] says where each page
// of a block begins, for the first guidance row. A block of frames sees the first seen[row] keys -> y [2 rows frames, DIM]. A block of threads for
// 64 SETS queries of a head; 4 warps for each of SPLITS parts of the keys, a warp for 16 SETS queries, whose parts are put together at the end.
// Fragments as at multiply_add: the scores' are the second product's left side as they are.
template <int SPLITS, int SETS>
__device__ __forceinline__ void attend_block(const element* qkv, const element* pages, const long long* places, int columns, const long long* seen,
    int rows, int frames, element* y)
{
    constexpr int THREADS = 128 * SPLITS;
    extern __shared__ uint4 shared[];
    element* const tiles = (element*)shared; // [stage][split][keys, values][TILE, HEAD_DIM]
    long long* const own_places = (long long*)(tiles + 2 * SPLITS * 2 * TILE_ELEMENTS);
    release_next();
    const int head = blockIdx.x, block = blockIdx.y, lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    const int split = warp / 4, first = (blockIdx.z * 4 + warp % 4) * (16 * SETS), row = block % rows;
    const int limit = (int)seen[row], rounds = (limit + TILE * SPLITS - 1) / (TILE * SPLITS);
    // Where pages lie is the step's, not the kernel's before.
    if (pages != nullptr)
        for (int i = threadIdx.x; i < columns; i += THREADS)
            own_places[i] = places[(size_t)row * columns + i] + block / rows * FRAMES;
    __syncthreads();
    wait_for_previous();

    auto load = [&](int round)
    {
        element* const stage = tiles + round % 2 * (SPLITS * 2 * TILE_ELEMENTS);
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            const int item = threadIdx.x + i * THREADS, within = item / 8, part = item % 8, key = round * (TILE * SPLITS) + within;
            const bool there = key < limit;
            const int safe = there ? key : 0;
            const element* from = pages != nullptr ? pages + ((size_t)own_places[safe / FRAMES] + safe % FRAMES) * (2 * DIM)
                : qkv + ((size_t)block * frames + safe) * (3 * DIM) + DIM;
            from += head * HEAD_DIM + part * 8;
            element* const to = piece(stage + within / TILE * (2 * TILE_ELEMENTS), within % TILE, part);
            copy_async_or_zero(to, from, there);
            copy_async_or_zero(to + TILE_ELEMENTS, from + DIM, there);
        }
        commit_copies();
    };

    load(0);
    u32 q[SETS][4][4];
#pragma unroll
    for (int set = 0; set < SETS; set++)
#pragma unroll
        for (int k = 0; k < 4; k++)
#pragma unroll
            for (int i = 0; i < 4; i++)
            {
                const int frame = first + set * 16 + g + i % 2 * 8, at = head * HEAD_DIM + k * 16 + 2 * t + i / 2 * 8;
                q[set][k][i] = frame < frames ? *(const u32*)(qkv + ((size_t)block * frames + frame) * (3 * DIM) + at) : 0;
            }

    float o[SETS][8][4] = {}, highest[SETS][2], sum[SETS][2] = {};
#pragma unroll
    for (int set = 0; set < SETS; set++)
        highest[set][0] = highest[set][1] = -INFINITY;
    for (int round = 0; round < rounds; round++)
    {
        if (round + 1 < rounds)
            load(round + 1);
        else
            commit_copies();
        wait_copies<1>();
        __syncthreads();
        element* const k_tile = tiles + (round % 2 * SPLITS + split) * (2 * TILE_ELEMENTS);
        element* const v_tile = k_tile + TILE_ELEMENTS;
        const int tile = (round * SPLITS + split) * TILE;
        if (tile < limit && first < frames)
        {
            float s[SETS][8][4] = {};
#pragma unroll
            for (int n = 0; n < 8; n++)
#pragma unroll
                for (int k = 0; k < 2; k++)
                {
                    u32 b[4];
                    load_matrices(b, piece(k_tile, n * 8 + lane % 8, k * 4 + lane / 8));
#pragma unroll
                    for (int set = 0; set < SETS; set++)
                    {
                        const u32(&own)[4] = q[set][2 * k], (&next)[4] = q[set][2 * k + 1];
                        multiply_add(s[set][n], own[0], own[1], own[2], own[3], b[0], b[1]);
                        multiply_add(s[set][n], next[0], next[1], next[2], next[3], b[2], b[3]);
                    }
                }
            const bool whole = tile + TILE <= limit;
#pragma unroll
            for (int set = 0; set < SETS; set++)
#pragma unroll
                for (int half = 0; half < 2; half++) // rows g and g + 8
                {
                    constexpr float SCALE = 0.125f * 1.4426950408889634f; // 1 / sqrt(64), in powers of 2
                    float top = -INFINITY;
                    if (!whole)
#pragma unroll
                        for (int n = 0; n < 8; n++)
#pragma unroll
                            for (int e = 0; e < 2; e++)
                                if (tile + n * 8 + 2 * t + e >= limit)
                                    s[set][n][2 * half + e] = -INFINITY;
#pragma unroll
                    for (int n = 0; n < 8; n++)
                        top = fmaxf(top, fmaxf(s[set][n][2 * half], s[set][n][2 * half + 1]));
                    top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
                    top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
                    top = fmaxf(highest[set][half], top * SCALE);
                    const float kept = exp2f(highest[set][half] - top);
                    highest[set][half] = top;
                    sum[set][half] *= kept;
#pragma unroll
                    for (int n = 0; n < 8; n++)
#pragma unroll
                        for (int e = 0; e < 2; e++)
                        {
                            o[set][n][2 * half + e] *= kept;
                            sum[set][half] += s[set][n][2 * half + e] = exp2f(s[set][n][2 * half + e] * SCALE - top);
                        }
                }
#pragma unroll
            for (int k = 0; k < 4; k++)
            {
                u32 a[SETS][4];
#pragma unroll
                for (int set = 0; set < SETS; set++)
#pragma unroll
                    for (int i = 0; i < 4; i++)
                        a[set][i] = narrow_pair(s[set][2 * k + i / 2][i % 2 * 2], s[set][2 * k + i / 2][i % 2 * 2 + 1]);
#pragma unroll
                for (int n = 0; n < 8; n += 2)
                {
                    u32 b[4];
                    load_matrices_transposed(b, piece(v_tile, k * 16 + lane % 16, n + lane / 16));
#pragma unroll
                    for (int set = 0; set < SETS; set++)
                    {
                        multiply_add(o[set][n], a[set][0], a[set][1], a[set][2], a[set][3], b[0], b[1]);
                        multiply_add(o[set][n + 1], a[set][0], a[set][1], a[set][2], a[set][3], b[2], b[3]);
                    }
                }
            }
        }
        __syncthreads();
    }

    if (SPLITS > 1)
    {
        float* const parts = (float*)shared; // [split - 1][36][128]
        float* const own = parts + (split - 1) * (36 * 128) + threadIdx.x % 128;
        if (split > 0)
        {
#pragma unroll
            for (int n = 0; n < 8; n++)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    own[(n * 4 + e) * 128] = o[0][n][e];
#pragma unroll
            for (int half = 0; half < 2; half++)
            {
                own[(32 + half) * 128] = highest[0][half];
                own[(34 + half) * 128] = sum[0][half];
            }
        }
        __syncthreads();
        if (split > 0)
            return;
#pragma unroll
        for (int other = 0; other < SPLITS - 1; other++)
        {
            const float* theirs = parts + other * (36 * 128) + threadIdx.x;
#pragma unroll
            for (int half = 0; half < 2; half++)
            {
                const float top = fmaxf(highest[0][half], theirs[(32 + half) * 128]);
                const float kept = exp2f(highest[0][half] - top), added = exp2f(theirs[(32 + half) * 128] - top);
                highest[0][half] = top;
                sum[0][half] = sum[0][half] * kept + theirs[(34 + half) * 128] * added;
#pragma unroll
                for (int n = 0; n < 8; n++)
#pragma unroll
                    for (int e = 2 * half; e < 2 * half + 2; e++)
                        o[0][n][e] = o[0][n][e] * kept + theirs[(n * 4 + e) * 128] * added;
            }
        }
    }
#pragma unroll
    for (int set = 0; set < SETS; set++)
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            const int frame = first + set * 16 + g + 8 * half;
            float whole = sum[set][half];
            whole += __shfl_xor_sync(0xffffffffu, whole, 1);
            whole += __shfl_xor_sync(0xffffffffu, whole, 2);
            const float inverse = 1 / whole;
            if (frame < frames)
#pragma unroll
                for (int n = 0; n < 8; n++)
                    *(u32*)(y + ((size_t)block * frames + frame) * DIM + head * HEAD_DIM + n * 8 + 2 * t) =
                        narrow_pair(o[set][n][2 * half] * inverse, o[set][n][2 * half + 1] * inverse);
        }
}

#define ATTEND(SPLITS, SETS, BLOCKS) \
    extern "C" __global__ void __launch_bounds__(128 * SPLITS, BLOCKS) flow_attend_##SPLITS##_##SETS(const element* qkv, const element* pages, \
        const long long* places, int columns, const long long* seen, int rows, int frames, element* y) \
    { \
        attend_block<SPLITS, SETS>(qkv, pages, places, columns, seen, rows, frames, y); \
    }

ATTEND(1, 2, 2)
ATTEND(1, 1, 3)
ATTEND(2, 1, 2)
ATTEND(4, 1, 1)

#endif
