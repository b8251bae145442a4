// Attention of the flow's transformer: every query of a block of frames sees the same keys, in pages or in the block itself. Softmax as it goes
// (flash attention), tiles of keys and values copied ahead, for heads of 64 numbers in bfloat16. FRAMES: frames of a page.

#if BF16 && HEAD_DIM == 64

constexpr int TILE = 64; // keys that are looked at together, and queries of 4 warps
constexpr int TILE_ELEMENTS = TILE * HEAD_DIM;

// A row of a tile is 8 pieces of 16 bytes, which lie in another order in each row, so that 8 rows' pieces of one number lie in different banks.
__device__ __forceinline__ element* piece(element* tile, int row, int part) { return tile + row * HEAD_DIM + (part ^ (row & 7)) * 8; }

// s[64 queries x 64 keys] = q kᵀ, and o[64 queries x 64 numbers] += weights [64 queries x 64 keys] values: there after the wait for them, and all
// before them.
__device__ __forceinline__ void begin_scores(float (&s)[8][4], const u32 (&q)[4][4], element* keys)
{
#if HAS_GROUPS
    const u64 tile = describe_tile(keys);
    begin_products();
    multiply_group<false, false>(s, q[0], tile);
#pragma unroll
    for (int k = 1; k < 4; k++)
        multiply_group<false, true>(s, q[k], tile + k * (32 >> 4));
    commit_products();
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

__device__ __forceinline__ void begin_values(float (&o)[8][4], const u32 (&weights)[4][4], element* values)
{
#if HAS_GROUPS
    const u64 tile = describe_tile(values);
    begin_products();
#pragma unroll
    for (int k = 0; k < 4; k++)
        multiply_group<true, true>(o, weights[k], tile + k * (16 * HEAD_DIM * sizeof(element) >> 4));
    commit_products();
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

// Waits for the product of which these are the sums; PENDING others were begun after it.
template <int PENDING>
__device__ __forceinline__ void finish(float (&d)[8][4])
{
#if HAS_GROUPS
    finish_products<PENDING>(d);
#endif
}

// Weights as the second product's left side.
__device__ __forceinline__ void pack(u32 (&weights)[4][4], const float (&s)[8][4])
{
#pragma unroll
    for (int k = 0; k < 4; k++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            weights[k][i] = narrow_pair(s[2 * k + i / 2][i % 2 * 2], s[2 * k + i / 2][i % 2 * 2 + 1]);
}

// What 4 warps know of 64 queries: of queries g and g + 8 of a warp's 16 the highest score so far (in powers of 2), the lane's part of the weights'
// sum, and the weighted sum of the values.
struct Attended
{
    float highest[2], sum[2], o[8][4];

    __device__ __forceinline__ Attended() : sum{}, o{} { highest[0] = highest[1] = -INFINITY; }

    // Scores of a tile, of which the first `there` keys are seen -> their weights. Says whether o has to be scaled first, by what is kept of it.
    __device__ __forceinline__ bool weigh(float (&s)[8][4], int there, float (&kept)[2])
    {
        constexpr float SCALE = 0.125f * 1.4426950408889634f; // 1 / sqrt(64), in powers of 2
        if (there < TILE)
#pragma unroll
            for (int n = 0; n < 8; n++)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    if (n * 8 + (int)threadIdx.x % 4 * 2 + e % 2 >= there)
                        s[n][e] = -INFINITY;
        float top[2];
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            top[half] = fmaxf(s[0][2 * half], s[0][2 * half + 1]);
#pragma unroll
            for (int n = 1; n < 8; n++)
                top[half] = fmaxf(top[half], fmaxf(s[n][2 * half], s[n][2 * half + 1]));
            top[half] = fmaxf(top[half], __shfl_xor_sync(0xffffffffu, top[half], 1));
            top[half] = fmaxf(top[half], __shfl_xor_sync(0xffffffffu, top[half], 2));
            top[half] = fmaxf(highest[half], top[half] * SCALE);
        }
        const bool is_higher = __any_sync(0xffffffffu, top[0] > highest[0] || top[1] > highest[1]); // seldom after the first tiles
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            kept[half] = power_of_two(highest[half] - top[half]);
            highest[half] = top[half];
            sum[half] *= kept[half];
        }
#pragma unroll
        for (int n = 0; n < 8; n++)
#pragma unroll
            for (int e = 0; e < 4; e++)
                sum[e / 2] += s[n][e] = power_of_two(s[n][e] * SCALE - highest[e / 2]);
        return is_higher;
    }

    __device__ __forceinline__ void scale(const float (&kept)[2])
    {
#pragma unroll
        for (int n = 0; n < 8; n++)
#pragma unroll
            for (int e = 0; e < 4; e++)
                o[n][e] *= kept[e / 2];
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
#pragma unroll
        for (int i = 0; i < TILE * LANES / (128 * SPLITS); i++)
        {
            const int item = threadIdx.x + i * (128 * SPLITS), query = item / LANES, at = item % LANES * 4;
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
            if (query < queries)
                *(uint2*)(y + (size_t)query * DIM + at) = make_uint2(narrow_pair(whole.x * inverse, whole.y * inverse),
                    narrow_pair(whole.z * inverse, whole.w * inverse));
        }
    }
};

// qkv [2 rows frames, 3 DIM]: queries, and, where there are no pages, keys and values. pages [*, 2 DIM]: places [rows, columns] says where each page
// of a block begins, for the first guidance row; at the last of them, its own, the kernels before have written. A block of frames sees the first
// seen[row] keys -> y [2 rows frames, DIM]. The grid is (head, 64 SETS queries) along x, (guidance row, row) along y. 4 warps take 64 queries and one
// of SPLITS parts of the keys.
template <int SPLITS, int SETS, int STAGES, bool OVERLAPS>
__device__ __forceinline__ void attend_block(const element* qkv, const element* pages, const long long* places, int columns, const long long* seen,
    int rows, int frames, element* y)
{
    constexpr int THREADS = 128 * SPLITS * SETS, STAGE = SPLITS * 2 * TILE_ELEMENTS;
    extern __shared__ __align__(1024) uint4 shared[];
    long long* const own_places = (long long*)shared;
    // [stage][split][keys, values][TILE, HEAD_DIM], then the parts' sums.
    element* const tiles = (element*)((char*)shared + (columns * sizeof(long long) + 1023) / 1024 * 1024);
    release_next();
    const int sets = (frames + TILE * SETS - 1) / (TILE * SETS), head = blockIdx.x / sets, block = blockIdx.y, row = block % rows;
    const int group = threadIdx.x / 128, split = group % SPLITS, first = (blockIdx.x % sets * SETS + group / SPLITS) * TILE;
    const int limit = (int)seen[row], rounds = (limit + TILE * SPLITS - 1) / (TILE * SPLITS);

    // A thread's share of a round's keys and values; what is beyond the limit is zeros.
    enum { Early, Late, Both };
    int early = 0; // keys that are early
    auto load = [&](int round, int which)
    {
        element* const stage = tiles + round % STAGES * STAGE;
#pragma unroll
        for (int i = 0; i < 4 / SETS; i++)
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
    float s[8][4], kept[2];
    u32 weights[4][4];
    auto keys_of = [&](int round) { return tiles + round % STAGES * STAGE + split * (2 * TILE_ELEMENTS); };
    const bool is_there = first < frames;
    if constexpr (OVERLAPS)
    {
        // A round's values are added while the weights of the next one are made.
        wait_copies<STAGES - 2>();
        __syncthreads();
        if (is_there)
        {
            begin_scores(s, q, keys_of(0));
            finish<0>(s);
            own.weigh(s, limit, kept);
            pack(weights, s);
        }
        for (int round = 1; round < rounds; round++)
        {
            wait_copies<STAGES - 3>();
            __syncthreads(); // this round's keys are there, and nobody reads the values of the round before the last
            if (round + STAGES - 2 < rounds)
                load(round + STAGES - 2, Both);
            commit_copies();
            if (is_there)
            {
                begin_scores(s, q, keys_of(round));
                begin_values(own.o, weights, keys_of(round - 1) + TILE_ELEMENTS);
                finish<1>(s);
                const bool is_higher = own.weigh(s, limit - round * TILE, kept);
                // In both branches, as ptxas would wait before the weights are made otherwise.
                if (is_higher)
                {
                    finish<0>(own.o);
                    own.scale(kept);
                }
                else
                    finish<0>(own.o);
                pack(weights, s);
            }
        }
        if (is_there)
        {
            begin_values(own.o, weights, keys_of(rounds - 1) + TILE_ELEMENTS);
            finish<0>(own.o);
        }
    }
    else
        for (int round = 0; round < rounds; round++)
        {
            wait_copies<STAGES - 2>();
            __syncthreads(); // this round's tiles are there, and nobody reads those of the round before
            if (round + STAGES - 1 < rounds)
                load(round + STAGES - 1, Both);
            commit_copies();
            const int tile = (round * SPLITS + split) * TILE;
            if (tile < limit && is_there)
            {
                begin_scores(s, q, keys_of(round));
                finish<0>(s);
                if (own.weigh(s, limit - tile, kept))
                    own.scale(kept);
                pack(weights, s);
                begin_values(own.o, weights, keys_of(round) + TILE_ELEMENTS);
                finish<0>(own.o);
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
    {
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            const int frame = first + threadIdx.x / 32 % 4 * 16 + threadIdx.x % 32 / 4 + 8 * half;
            const float inverse = 1 / own.sum[half];
            if (frame < frames)
#pragma unroll
                for (int n = 0; n < 8; n++)
                    *(u32*)(y + ((size_t)block * frames + frame) * DIM + head * HEAD_DIM + n * 8 + threadIdx.x % 4 * 2) =
                        narrow_pair(own.o[n][2 * half] * inverse, own.o[n][2 * half + 1] * inverse);
        }
    }
}

#define ATTEND(NAME, SPLITS, SETS, STAGES, BLOCKS) \
    extern "C" __global__ void __launch_bounds__(128 * SPLITS * SETS, BLOCKS) flow_attend_##NAME(const element* qkv, const element* pages, \
        const long long* places, int columns, const long long* seen, int rows, int frames, element* y) \
    { \
        attend_block<SPLITS, SETS, STAGES, OVERLAP_##NAME>(qkv, pages, places, columns, seen, rows, frames, y); \
    }

constexpr bool OVERLAP_1_1 = true, OVERLAP_1_2 = true, OVERLAP_1_4 = true, OVERLAP_2_1 = false, OVERLAP_4_1 = false, OVERLAP_plain_1_1 = false,
    OVERLAP_plain_1_2 = false;
ATTEND(1_1, 1, 1, 3, 4)
ATTEND(plain_1_1, 1, 1, 3, 4)
ATTEND(1_2, 1, 2, 4, 2)
ATTEND(plain_1_2, 1, 2, 4, 2)
ATTEND(1_4, 1, 4, 4, 1)
ATTEND(2_1, 2, 1, 3, 2)
ATTEND(4_1, 4, 1, 3, 1)

#endif
