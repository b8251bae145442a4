// Attention of the flow's transformer: every query of a block of frames sees the same keys, in pages or in the block itself. Softmax as it goes
// (flash attention), tiles of keys and values copied ahead, for heads of 64 numbers in bfloat16. FRAMES: frames of a page.

#if BF16 && HEAD_DIM == 64

constexpr int TILE = 64; // keys that are looked at together, and queries of 4 warps
constexpr int TILE_ELEMENTS = TILE * HEAD_DIM;

// A row of a tile is 8 pieces of 16 bytes, which lie in another order in each row, so that 8 rows' pieces of one number lie in different banks.
__device__ __forceinline__ element* piece(element* tile, int row, int part) { return tile + row * HEAD_DIM + (part ^ (row & 7)) * 8; }

// s[64 queries x 64 keys] = q kᵀ.
__device__ __forceinline__ void score_tile(float (&s)[8][4], const u32 (&q)[4][4], element* keys)
{
#if HAS_GROUPS
    const u64 tile = describe_tile(keys);
    begin_products();
    multiply_group<false, false>(s, q[0], tile);
#pragma unroll
    for (int k = 1; k < 4; k++)
        multiply_group<false, true>(s, q[k], tile + k * (32 >> 4));
    commit_products();
    finish_products(s);
#else
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int n = 0; n < 8; n++)
    {
        s[n][0] = s[n][1] = s[n][2] = s[n][3] = 0;
#pragma unroll
        for (int k = 0; k < 4; k += 2)
        {
            u32 b[4];
            load_matrices(b, piece(keys, n * 8 + lane % 8, k * 2 + lane / 8));
            multiply_add(s[n], q[k][0], q[k][1], q[k][2], q[k][3], b[0], b[1]);
            multiply_add(s[n], q[k + 1][0], q[k + 1][1], q[k + 1][2], q[k + 1][3], b[2], b[3]);
        }
    }
#endif
}

// o[64 queries x 64 numbers] += weights [64 queries x 64 keys] values.
__device__ __forceinline__ void add_values(float (&o)[8][4], const u32 (&weights)[4][4], element* values)
{
#if HAS_GROUPS
    const u64 tile = describe_tile(values);
    begin_products();
#pragma unroll
    for (int k = 0; k < 4; k++)
        multiply_group<true, true>(o, weights[k], tile + k * (16 * HEAD_DIM * sizeof(element) >> 4));
    commit_products();
    finish_products(o);
#else
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int k = 0; k < 4; k++)
#pragma unroll
        for (int n = 0; n < 8; n += 2)
        {
            u32 b[4];
            load_matrices_transposed(b, piece(values, k * 16 + lane % 16, n + lane / 16));
            multiply_add(o[n], weights[k][0], weights[k][1], weights[k][2], weights[k][3], b[0], b[1]);
            multiply_add(o[n + 1], weights[k][0], weights[k][1], weights[k][2], weights[k][3], b[2], b[3]);
        }
#endif
}

// What 4 warps know of 64 queries: of queries g and g + 8 of a warp's 16 the highest score so far (in powers of 2), the lane's part of the weights'
// sum, and the weighted sum of the values.
struct Attended
{
    float highest[2], sum[2], o[8][4];

    __device__ __forceinline__ Attended() : sum{}, o{} { highest[0] = highest[1] = -INFINITY; }

    // Scores of a tile, of which the first `there` keys are seen -> what they add, and their weights: the second product's left side as it is.
    __device__ __forceinline__ void weigh(float (&s)[8][4], int there, u32 (&weights)[4][4])
    {
        constexpr float SCALE = 0.125f * 1.4426950408889634f; // 1 / sqrt(64), in powers of 2
        if (there < TILE)
#pragma unroll
            for (int n = 0; n < 8; n++)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    if (n * 8 + (int)threadIdx.x % 4 * 2 + e % 2 >= there)
                        s[n][e] = -INFINITY;
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            float top = -INFINITY;
#pragma unroll
            for (int n = 0; n < 8; n++)
                top = fmaxf(top, fmaxf(s[n][2 * half], s[n][2 * half + 1]));
            top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
            top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
            top = fmaxf(highest[half], top * SCALE);
            const float kept = power_of_two(highest[half] - top);
            highest[half] = top;
            float added = 0;
#pragma unroll
            for (int n = 0; n < 8; n++)
#pragma unroll
                for (int e = 2 * half; e < 2 * half + 2; e++)
                {
                    o[n][e] *= kept;
                    added += s[n][e] = power_of_two(s[n][e] * SCALE - top);
                }
            sum[half] = sum[half] * kept + added;
        }
#pragma unroll
        for (int k = 0; k < 4; k++)
#pragma unroll
            for (int i = 0; i < 4; i++)
                weights[k][i] = narrow_pair(s[2 * k + i / 2][i % 2 * 2], s[2 * k + i / 2][i % 2 * 2 + 1]);
    }

    // The whole sums.
    __device__ __forceinline__ void add_lanes()
    {
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            sum[half] += __shfl_xor_sync(0xffffffffu, sum[half], 1);
            sum[half] += __shfl_xor_sync(0xffffffffu, sum[half], 2);
        }
    }

    // The attended queries, from whole sums; y: of the first.
    __device__ __forceinline__ void write(element* y, int queries) const
    {
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            const int query = threadIdx.x / 32 % 4 * 16 + threadIdx.x % 32 / 4 + 8 * half;
            const float inverse = 1 / sum[half];
            if (query < queries)
#pragma unroll
                for (int n = 0; n < 8; n++)
                    *(u32*)(y + (size_t)query * DIM + n * 8 + threadIdx.x % 4 * 2) = narrow_pair(o[n][2 * half] * inverse,
                        o[n][2 * half + 1] * inverse);
        }
    }
};

// Puts together what SPLITS parts of the keys have given for 64 queries: to shared memory [part][query][PITCH], a query's numbers, then highest score
// and sum; from there to y.
template <int SPLITS>
struct Parts
{
    static constexpr int PITCH = HEAD_DIM + 8; // so that 4 rows lie in different banks

    static __device__ __forceinline__ void share(float* shared, int part, const Attended& own)
    {
        const int lane = threadIdx.x % 32, t = lane % 4;
        float* const rows = shared + (part * TILE + threadIdx.x / 32 % 4 * 16 + lane / 4) * PITCH;
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            float* const row = rows + half * 8 * PITCH;
#pragma unroll
            for (int n = 0; n < 8; n++)
                *(float2*)(row + n * 8 + 2 * t) = make_float2(own.o[n][2 * half], own.o[n][2 * half + 1]);
            if (t == 0)
                *(float2*)(row + HEAD_DIM) = make_float2(own.highest[half], own.sum[half]);
        }
    }

    // y: of the first query.
    static __device__ __forceinline__ void gather(const float* shared, element* y, int queries)
    {
        constexpr int LANES = HEAD_DIM / 4;
        for (int item = threadIdx.x; item < min(queries, TILE) * LANES; item += 128 * SPLITS)
        {
            const int query = item / LANES, at = item % LANES * 4;
            const float* const rows = shared + query * PITCH;
            float top = -INFINITY, sum = 0;
            float4 whole = make_float4(0, 0, 0, 0);
#pragma unroll
            for (int part = 0; part < SPLITS; part++)
                top = fmaxf(top, rows[part * (TILE * PITCH) + HEAD_DIM]);
#pragma unroll
            for (int part = 0; part < SPLITS; part++)
            {
                const float2 state = *(const float2*)(rows + part * (TILE * PITCH) + HEAD_DIM);
                const float4 v = *(const float4*)(rows + part * (TILE * PITCH) + at);
                const float factor = power_of_two(state.x - top);
                sum += state.y * factor;
                whole = make_float4(whole.x + v.x * factor, whole.y + v.y * factor, whole.z + v.z * factor, whole.w + v.w * factor);
            }
            const float inverse = 1 / sum;
            *(uint2*)(y + (size_t)query * DIM + at) = make_uint2(narrow_pair(whole.x * inverse, whole.y * inverse),
                narrow_pair(whole.z * inverse, whole.w * inverse));
        }
    }
};

// qkv [2 rows frames, 3 DIM]: queries, and, where there are no pages, keys and values. pages [*, 2 DIM]: places [rows, columns] says where each page
// of a block begins, for the first guidance row; at the last of them, its own, the kernels before have written. A block of frames sees the first
// seen[row] keys -> y [2 rows frames, DIM]. The grid is (head, 64 queries) along x, (guidance row, row) along y. 4 warps take one of SPLITS parts of
// the keys.
template <int SPLITS>
__device__ __forceinline__ void attend_block(const element* qkv, const element* pages, const long long* places, int columns, const long long* seen,
    int rows, int frames, element* y)
{
    constexpr int THREADS = 128 * SPLITS, STAGE = SPLITS * 2 * TILE_ELEMENTS, STAGES = 3;
    extern __shared__ __align__(1024) uint4 shared[];
    long long* const own_places = (long long*)shared;
    // [stage][split][keys, values][TILE, HEAD_DIM], then the parts' sums.
    element* const tiles = (element*)((char*)shared + (columns * sizeof(long long) + 1023) / 1024 * 1024);
    release_next();
    const int sets = (frames + TILE - 1) / TILE, head = blockIdx.x / sets, first = blockIdx.x % sets * TILE, block = blockIdx.y, row = block % rows;
#if HAS_GROUPS
    const int split = group_of_warps();
#else
    const int split = threadIdx.x / 128;
#endif
    const int limit = (int)seen[row], rounds = (limit + TILE * SPLITS - 1) / (TILE * SPLITS);

    // A thread's share of a round's keys and values; what is beyond the limit is zeros.
    enum { Early, Late, Both };
    int early = 0; // keys that are early
    auto load = [&](int round, int which)
    {
        element* const stage = tiles + round % STAGES * STAGE;
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            const int item = threadIdx.x + i * THREADS, within = item / 8, part = item % 8;
            const int key = round * (TILE * SPLITS) + within;
            const bool there = key < limit;
            const int safe = there ? key : 0;
            if ((which == Early && key >= early) || (which == Late && key < early))
                continue;
            const element* source = pages != nullptr ? pages + ((size_t)own_places[safe / FRAMES] + safe % FRAMES) * (2 * DIM)
                : qkv + ((size_t)block * frames + safe) * (3 * DIM) + DIM;
            source += head * HEAD_DIM + part * 8;
            element* const to = piece(stage + within / TILE * (2 * TILE_ELEMENTS), within % TILE, part);
            copy_async_or_zero(to, source, there);
            copy_async_or_zero(to + TILE_ELEMENTS, source + DIM, there);
        }
    };
    // Where pages lie is the step's, not the kernel's before, and so is what stands in those that the blocks of this pass do not write: it is on its
    // way before the wait.
    if (pages != nullptr)
    {
        const int seen_pages = (limit + FRAMES - 1) / FRAMES;
        bool before = threadIdx.x < seen_pages;
        for (int i = threadIdx.x; i < columns; i += THREADS)
        {
            const long long place = places[(size_t)row * columns + i];
            own_places[i] = place + block / rows * FRAMES;
            if (i == threadIdx.x && before)
                for (int other = 0; other < rows; other++)
                    before = before && place != places[(size_t)other * columns + columns - 1];
        }
        early = min(__syncthreads_count(before) * FRAMES, limit); // pages of the pass follow all others
#pragma unroll
        for (int round = 0; round < STAGES - 1; round++)
            if (round < rounds)
                load(round, Early);
    }
    wait_for_previous();
#pragma unroll
    for (int round = 0; round < STAGES - 1; round++)
    {
        if (round < rounds)
            load(round, Late);
        commit_copies();
    }
    u32 q[4][4];
#pragma unroll
    for (int k = 0; k < 4; k++)
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            const int frame = first + threadIdx.x / 32 % 4 * 16 + threadIdx.x % 32 / 4 + i % 2 * 8;
            const int at = head * HEAD_DIM + k * 16 + threadIdx.x % 4 * 2 + i / 2 * 8;
            q[k][i] = frame < frames ? *(const u32*)(qkv + ((size_t)block * frames + frame) * (3 * DIM) + at) : 0;
        }

    Attended own;
    for (int round = 0; round < rounds; round++)
    {
        wait_copies<STAGES - 2>();
#if HAS_GROUPS
        publish_tiles();
#endif
        __syncthreads(); // this round's tiles are there, and nobody reads those of the round before
        if (round + STAGES - 1 < rounds)
            load(round + STAGES - 1, Both);
        commit_copies();
        const int tile = (round * SPLITS + split) * TILE;
        if (tile < limit)
        {
            element* const keys = tiles + round % STAGES * STAGE + split * (2 * TILE_ELEMENTS);
            float s[8][4];
            u32 weights[4][4];
            score_tile(s, q, keys);
            own.weigh(s, limit - tile, weights);
            add_values(own.o, weights, keys + TILE_ELEMENTS);
        }
    }

    own.add_lanes();
    if constexpr (SPLITS > 1)
    {
        float* const parts = (float*)tiles;
        __syncthreads(); // nobody reads the tiles
        Parts<SPLITS>::share(parts, split, own);
        __syncthreads();
        Parts<SPLITS>::gather(parts, y + ((size_t)block * frames + first) * DIM + head * HEAD_DIM, frames - first);
    }
    else
        own.write(y + ((size_t)block * frames + first) * DIM + head * HEAD_DIM, frames - first);
}

#define ATTEND(SPLITS) \
    extern "C" __global__ void __launch_bounds__(128 * SPLITS, 4 / SPLITS) flow_attend_##SPLITS(const element* qkv, const element* pages, \
        const long long* places, int columns, const long long* seen, int rows, int frames, element* y) \
    { \
        attend_block<SPLITS>(qkv, pages, places, columns, seen, rows, frames, y); \
    }

ATTEND(1)
ATTEND(2)
ATTEND(4)

#endif
