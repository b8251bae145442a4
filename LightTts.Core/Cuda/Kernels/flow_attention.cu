// Attention of the flow's transformer: every query of a block of frames sees the same keys, in pages or in the block itself. Softmax as it goes
// (flash attention), tiles of keys and values copied ahead, for heads of 64 numbers in bfloat16. FRAMES: frames of a page.

#if BF16 && HEAD_DIM == 64

constexpr int TILE = 64; // keys that are looked at together
constexpr int TILE_ELEMENTS = TILE * HEAD_DIM;

// A row of a tile is 8 pieces of 16 bytes, which lie in another order in each row, so that 8 rows' pieces of one number lie in different banks.
__device__ __forceinline__ element* piece(element* tile, int row, int part) { return tile + row * HEAD_DIM + (part ^ (row & 7)) * 8; }

// qkv [2 rows frames, 3 DIM]: queries, and, where there are no pages, keys and values. pages [*, 2 DIM]: places [rows, columns] says where each page
// of a block begins, for the first guidance row. A block of frames sees the first seen[row] keys -> y [2 rows frames, DIM]. A block of threads for 64
// queries of a head; 4 warps for each of SPLITS parts of the keys, a warp for 16 queries, whose parts are put together at the end.
// Fragments as at multiply_add: the scores' are the second product's left side as they are.
template <int SPLITS>
__device__ __forceinline__ void attend_block(const element* qkv, const element* pages, const long long* places, int columns, const long long* seen,
    int rows, int frames, element* y)
{
    constexpr int THREADS = 128 * SPLITS;
    extern __shared__ uint4 shared[];
    element* const tiles = (element*)shared; // [stage][split][keys, values][TILE, HEAD_DIM]
    long long* const own_places = (long long*)(tiles + 2 * SPLITS * 2 * TILE_ELEMENTS);
    release_next();
    const int head = blockIdx.x, block = blockIdx.y, lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    const int split = warp / 4, first = blockIdx.z * 64 + warp % 4 * 16, row = block % rows;
    // Where pages lie is the step's, not the kernel's before.
    if (pages != nullptr)
        for (int i = threadIdx.x; i < columns; i += THREADS)
            own_places[i] = places[(size_t)row * columns + i] + block / rows * FRAMES;
    const int limit = (int)seen[row], rounds = (limit + TILE * SPLITS - 1) / (TILE * SPLITS);
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
    u32 q[4][4];
#pragma unroll
    for (int k = 0; k < 4; k++)
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            const int frame = first + g + i % 2 * 8, at = head * HEAD_DIM + k * 16 + 2 * t + i / 2 * 8;
            q[k][i] = frame < frames ? *(const u32*)(qkv + ((size_t)block * frames + frame) * (3 * DIM) + at) : 0;
        }

    float o[8][4] = {}, highest[2] = {-INFINITY, -INFINITY}, sum[2] = {};
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
        if (tile < limit)
        {
            float s[8][4] = {};
#pragma unroll
            for (int n = 0; n < 8; n++)
#pragma unroll
                for (int k = 0; k < 2; k++)
                {
                    u32 b[4];
                    load_matrices(b, piece(k_tile, n * 8 + lane % 8, k * 4 + lane / 8));
                    multiply_add(s[n], q[2 * k][0], q[2 * k][1], q[2 * k][2], q[2 * k][3], b[0], b[1]);
                    multiply_add(s[n], q[2 * k + 1][0], q[2 * k + 1][1], q[2 * k + 1][2], q[2 * k + 1][3], b[2], b[3]);
                }
#pragma unroll
            for (int half = 0; half < 2; half++) // rows g and g + 8
            {
                float top = highest[half];
#pragma unroll
                for (int n = 0; n < 8; n++)
#pragma unroll
                    for (int e = 0; e < 2; e++)
                    {
                        float& score = s[n][2 * half + e];
                        // 1 / sqrt(64), in powers of 2
                        score = tile + n * 8 + 2 * t + e < limit ? score * (0.125f * 1.4426950408889634f) : -INFINITY;
                        top = fmaxf(top, score);
                    }
                top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
                top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
                const float kept = exp2f(highest[half] - top);
                highest[half] = top;
                sum[half] *= kept;
#pragma unroll
                for (int n = 0; n < 8; n++)
#pragma unroll
                    for (int e = 0; e < 2; e++)
                    {
                        o[n][2 * half + e] *= kept;
                        sum[half] += s[n][2 * half + e] = exp2f(s[n][2 * half + e] - top);
                    }
            }
#pragma unroll
            for (int k = 0; k < 4; k++)
            {
                const float(&low)[4] = s[2 * k], (&high)[4] = s[2 * k + 1];
                const u32 a0 = narrow_pair(low[0], low[1]), a1 = narrow_pair(low[2], low[3]);
                const u32 a2 = narrow_pair(high[0], high[1]), a3 = narrow_pair(high[2], high[3]);
#pragma unroll
                for (int n = 0; n < 8; n += 2)
                {
                    u32 b[4];
                    load_matrices_transposed(b, piece(v_tile, k * 16 + lane % 16, n + lane / 16));
                    multiply_add(o[n], a0, a1, a2, a3, b[0], b[1]);
                    multiply_add(o[n + 1], a0, a1, a2, a3, b[2], b[3]);
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
                    own[(n * 4 + e) * 128] = o[n][e];
#pragma unroll
            for (int half = 0; half < 2; half++)
            {
                own[(32 + half) * 128] = highest[half];
                own[(34 + half) * 128] = sum[half];
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
                const float top = fmaxf(highest[half], theirs[(32 + half) * 128]);
                const float kept = exp2f(highest[half] - top), added = exp2f(theirs[(32 + half) * 128] - top);
                highest[half] = top;
                sum[half] = sum[half] * kept + theirs[(34 + half) * 128] * added;
#pragma unroll
                for (int n = 0; n < 8; n++)
#pragma unroll
                    for (int e = 2 * half; e < 2 * half + 2; e++)
                        o[n][e] = o[n][e] * kept + theirs[(n * 4 + e) * 128] * added;
            }
        }
    }
#pragma unroll
    for (int half = 0; half < 2; half++)
    {
        const int frame = first + g + 8 * half;
        sum[half] += __shfl_xor_sync(0xffffffffu, sum[half], 1);
        sum[half] += __shfl_xor_sync(0xffffffffu, sum[half], 2);
        const float inverse = 1 / sum[half];
        if (frame < frames)
#pragma unroll
            for (int n = 0; n < 8; n++)
                *(u32*)(y + ((size_t)block * frames + frame) * DIM + head * HEAD_DIM + n * 8 + 2 * t) =
                    narrow_pair(o[n][2 * half] * inverse, o[n][2 * half + 1] * inverse);
    }
}

#define ATTEND(SPLITS) \
    extern "C" __global__ void __launch_bounds__(128 * SPLITS) flow_attend_##SPLITS(const element* qkv, const element* pages, \
        const long long* places, int columns, const long long* seen, int rows, int frames, element* y) \
    { \
        attend_block<SPLITS>(qkv, pages, places, columns, seen, rows, frames, y); \
    }

ATTEND(1)
ATTEND(2)
ATTEND(4)

#endif
