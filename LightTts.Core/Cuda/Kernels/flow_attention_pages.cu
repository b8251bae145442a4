// Attention over pages (flow_attention.cu) on cards whose groups of 4 warps multiply what lies in shared memory: a page's keys and values come by
// themselves (tensor_map.cuh), and a page is a tile, of whose 64 rows FRAMES are there.

#if BF16 && HEAD_DIM == 64 && HAS_GROUPS && FRAMES <= 56

constexpr int PAGE_KEYS = 56;                    // of a tile that have scores
constexpr int TILE_BYTES = TILE * HEAD_DIM * 2;
constexpr int MAX_PAGES = 128;                   // that a block of frames sees
constexpr float KEEP_RANGE = 8;                  // in powers of 2

// s[64 queries x PAGE_KEYS] = q kᵀ of tiles, 16 numbers of each.
__device__ __forceinline__ void score_page(float (&d)[7][4], u64 a, u64 b, bool adds)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %30, 0;\nwgmma.mma_async.sync.aligned.m64n56k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27}, %28, %29, p, 1, 1, 0, 0;\n}"
        : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]), "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]),
        "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]), "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3]),
        "+f"(d[4][0]), "+f"(d[4][1]), "+f"(d[4][2]), "+f"(d[4][3]), "+f"(d[5][0]), "+f"(d[5][1]), "+f"(d[5][2]), "+f"(d[5][3]),
        "+f"(d[6][0]), "+f"(d[6][1]), "+f"(d[6][2]), "+f"(d[6][3])
        : "l"(a), "l"(b), "r"((int)adds));
}

struct PageAttended : Attended
{
    // Scores of a page, of which the first `there` keys are seen -> what they add, and their weights as at weigh.
    __device__ __forceinline__ void weigh_page(float (&s)[7][4], int there, u32 (&weights)[4][4])
    {
        constexpr float SCALE = 0.125f * 1.4426950408889634f; // 1 / sqrt(64), in powers of 2
        const int t = threadIdx.x % 4 * 2;
        if (there < FRAMES)
        {
#pragma unroll
            for (int n = 0; n < 7; n++)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    s[n][e] = n * 8 + t + e % 2 < there ? s[n][e] : -INFINITY;
        }
        else
#pragma unroll
            for (int n = FRAMES / 8; n < 7; n++) // of most columns it is known
#pragma unroll
                for (int e = 0; e < 4; e++)
                    s[n][e] = n * 8 + t + e % 2 < FRAMES ? s[n][e] : -INFINITY;
        float top[2];
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            top[half] = s[0][2 * half];
#pragma unroll
            for (int n = 0; n < 7; n++)
                top[half] = fmaxf(top[half], fmaxf(s[n][2 * half], s[n][2 * half + 1]));
            top[half] = fmaxf(top[half], __shfl_xor_sync(0xffffffffu, top[half], 1));
            top[half] = fmaxf(top[half], __shfl_xor_sync(0xffffffffu, top[half], 2)) * SCALE;
        }
        // Any number may stand for the highest score, as it is divided out: what is kept is weighed anew only where scores grew by much.
        if (__any_sync(0xffffffffu, top[0] > highest[0] + KEEP_RANGE || top[1] > highest[1] + KEEP_RANGE))
#pragma unroll
            for (int half = 0; half < 2; half++)
            {
                // Each query for itself: those of other rows, and what lies where none are, may not decide how it is rounded.
                const float now = top[half] > highest[half] + KEEP_RANGE ? top[half] : highest[half], kept = power_of_two(highest[half] - now);
                highest[half] = now;
                sum[half] *= kept;
#pragma unroll
                for (int n = 0; n < 8; n++)
                {
                    o[n][2 * half] *= kept;
                    o[n][2 * half + 1] *= kept;
                }
            }
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            float added = 0;
#pragma unroll
            for (int n = 0; n < 7; n++)
#pragma unroll
                for (int e = 2 * half; e < 2 * half + 2; e++)
                    added += s[n][e] = power_of_two(s[n][e] * SCALE - highest[half]);
            sum[half] += added;
        }
#pragma unroll
        for (int k = 0; k < 4; k++)
#pragma unroll
            for (int i = 0; i < 4; i++)
            {
                const int n = 2 * k + i / 2;
                weights[k][i] = n < 7 ? narrow_pair(s[n % 7][i % 2 * 2], s[n % 7][i % 2 * 2 + 1]) : 0;
            }
    }
};

// As attend_block. qkv: a map of [2 rows FRAMES, 3 DIM] whose boxes are a block's queries; pages: one of [*, 2 DIM] whose boxes are a page's. The
// grid is (head, (guidance row, row)); GROUPS groups of 4 warps share out the pages, each with a ring of RING of them.
template <int GROUPS, int RING>
__device__ __forceinline__ void attend_pages(const TensorMap& qkv, const TensorMap& pages, const long long* places, int columns,
    const long long* seen, int rows, element* y)
{
    constexpr int THREADS = 128 * GROUPS;
    extern __shared__ uint4 shared[];
    __shared__ u64 barriers[GROUPS * RING + 1];
    __shared__ int of_pages[MAX_PAGES]; // rows at which they begin
    __shared__ bool is_late[MAX_PAGES]; // written by this pass
    release_next();
    char* const q = (char*)(shared + (0u - shared_address(shared)) % 1024 / 16);
    const int group = group_of_warps(), thread = threadIdx.x % 128;
    char* const tiles = q + TILE_BYTES + group * RING * 2 * TILE_BYTES; // [RING][keys, values]
    const int head = blockIdx.x, block = blockIdx.y, row = block % rows, guidance = block / rows;
    const int limit = (int)seen[row], all = (limit + FRAMES - 1) / FRAMES, own_pages = (all - group + GROUPS - 1) / GROUPS;
    u64* const own_barriers = barriers + group * RING;
    u64* const queries_there = barriers + GROUPS * RING;
    if (threadIdx.x < GROUPS * RING + 1)
        begin_barrier(&barriers[threadIdx.x], 1);
    for (int i = threadIdx.x; i < all; i += THREADS)
    {
        of_pages[i] = (int)places[(size_t)row * columns + i] + guidance * FRAMES;
        is_late[i] = false;
    }
    // What is no key has no value.
    for (int i = thread; i < min(own_pages, RING) * (TILE - FRAMES) * 8; i += 128)
        *(uint4*)(tiles + (i / ((TILE - FRAMES) * 8) * 2 + 1) * TILE_BYTES + FRAMES * 128 + i % ((TILE - FRAMES) * 8) * 16) = make_uint4(0, 0, 0, 0);
    __syncthreads();
    for (int i = threadIdx.x; i < all * rows; i += THREADS)
        if (of_pages[i % all] - guidance * FRAMES == (int)places[(size_t)(i / all) * columns + columns - 1])
            is_late[i % all] = true;
    show_to_copies();
    __syncthreads();
    auto fetch = [&](int i)
    {
        u64* const barrier = &own_barriers[i % RING];
        char* const tile = tiles + i % RING * 2 * TILE_BYTES;
        const int page = of_pages[group + i * GROUPS];
        arrive_and_expect(barrier, 2 * FRAMES * 128);
        copy_box(tile, pages, head * HEAD_DIM, page, barrier);
        copy_box(tile + TILE_BYTES, pages, DIM + head * HEAD_DIM, page, barrier);
    };
    if (thread == 0)
#pragma unroll 1
        for (int i = 0; i < min(own_pages, RING); i++)
            if (!is_late[group + i * GROUPS])
                fetch(i);
    wait_for_previous();
    if (thread == 0)
    {
        if (group == 0)
        {
            arrive_and_expect(queries_there, FRAMES * 128);
            copy_box(q, qkv, head * HEAD_DIM, block * FRAMES, queries_there);
        }
#pragma unroll 1
        for (int i = 0; i < min(own_pages, RING); i++)
            if (is_late[group + i * GROUPS])
                fetch(i);
    }
    wait_barrier(queries_there, 0);
    PageAttended own;
#pragma unroll 1
    for (int i = 0; i < own_pages; i++)
    {
        char* const tile = tiles + i % RING * 2 * TILE_BYTES;
        const int there = limit - (group + i * GROUPS) * FRAMES;
        wait_barrier(&own_barriers[i % RING], i / RING & 1);
        if (there < FRAMES) // the last page: what is beyond may be no number
        {
            for (int at = thread; at < (FRAMES - there) * 8; at += 128)
                *(uint4*)(tile + TILE_BYTES + there * 128 + at * 16) = make_uint4(0, 0, 0, 0);
            show_to_copies();
            asm volatile("bar.sync %0, 128;" :: "r"(group + 1) : "memory");
        }
        float s[7][4];
        u32 weights[4][4];
        const u64 queries = describe_tile(q), keys = describe_tile(tile);
        begin_products();
#pragma unroll
        for (int k = 0; k < 4; k++)
            score_page(s, queries + 2 * k, keys + 2 * k, k > 0);
        commit_products();
        wait_products<0>();
#pragma unroll
        for (int n = 0; n < 28; n++)
            asm volatile("" : "+f"(s[n / 4][n % 4]) :: "memory");
        own.weigh_page(s, there, weights);
        add_values(own.o, weights, (element*)(tile + TILE_BYTES));
        if (i + RING < own_pages)
        {
            asm volatile("bar.sync %0, 128;" :: "r"(group + 1) : "memory"); // the group reads the tile no more
            if (thread == 0)
                fetch(i + RING);
        }
    }
    own.add_lanes();
    element* const to = y + (size_t)block * FRAMES * DIM + head * HEAD_DIM;
    if constexpr (GROUPS > 1)
    {
        float* const parts = (float*)(q + TILE_BYTES);
        __syncthreads(); // nobody reads tiles
        Parts<GROUPS>::share(parts, group, own);
        __syncthreads();
        Parts<GROUPS>::gather(parts, to, FRAMES);
    }
    else
        own.write(to, FRAMES);
}

#define ATTEND_PAGES(GROUPS, RING) \
    extern "C" __global__ void __launch_bounds__(128 * GROUPS) flow_attend_pages_##GROUPS(const __grid_constant__ TensorMap qkv, \
        const __grid_constant__ TensorMap pages, const long long* places, int columns, const long long* seen, int rows, element* y) \
    { \
        attend_pages<GROUPS, RING>(qkv, pages, places, columns, seen, rows, y); \
    }

ATTEND_PAGES(1, 2)
ATTEND_PAGES(3, 2)

#endif
